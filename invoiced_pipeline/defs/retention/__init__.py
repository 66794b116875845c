"""Deletes old runs from Dagster's records."""
