"""Alerts: what an incident is, its text, and who was told. It knows neither Dagster nor records."""
