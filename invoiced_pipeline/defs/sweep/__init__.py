"""The sweep in Dagster: its job, its op and its weekly schedule."""
