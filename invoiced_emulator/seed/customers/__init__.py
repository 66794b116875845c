"""Seeded customers, contacts and tasks."""
