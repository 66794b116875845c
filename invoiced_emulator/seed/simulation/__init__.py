"""What all seeded records share: the simulation, customers, the catalog and money."""
