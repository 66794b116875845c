"""Whether rows are right: by the catalog, and against the replica."""
