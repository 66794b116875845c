"""Dagster's UI in a headless browser, over `dagster dev`."""
