"""Alerts: incidents, their text, and delivery. It imports neither Dagster nor records."""
