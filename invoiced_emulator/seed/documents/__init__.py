"""Seeded invoices, credit notes and estimates."""
