"""What all seeded records share: the clock, ids, customers, the catalog and money."""
