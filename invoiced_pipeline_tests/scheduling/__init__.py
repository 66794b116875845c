"""Schedules: which instants their settings mean."""
