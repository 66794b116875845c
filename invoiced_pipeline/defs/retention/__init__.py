"""Deletion of old runs from Dagster's run history."""
