"""Seeded subscriptions."""
