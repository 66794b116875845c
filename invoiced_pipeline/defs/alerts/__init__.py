"""Alerts in Dagster: what its records say about each connection, and the sensor that sends it."""
