"""Validates rows by the catalog's rules and against the replica."""
