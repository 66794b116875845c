"""Dagster's home and instance, and the runs that commands start in their own process."""
