"""Runs in Dagster's history: which are alive, which died, and why one failed."""
