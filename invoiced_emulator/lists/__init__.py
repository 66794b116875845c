"""Lists and single records: parameters, filters, sorting, pages and fields."""
