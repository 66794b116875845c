"""The sync in Dagster: assets, the op that loads them, its job, schedules and metadata."""
