"""Seeded payments, transactions and payment sources."""
