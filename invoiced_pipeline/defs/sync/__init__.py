"""The sync in Dagster: assets, job and schedule, what a run does, and what it records."""
