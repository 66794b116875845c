"""Customers, their contacts and payment sources, notes and tasks."""
