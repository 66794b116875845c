"""One module per table of Invoiced, each holding its columns and how it is listed."""
