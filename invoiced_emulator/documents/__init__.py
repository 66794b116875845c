"""Invoices, credit notes and estimates, and what belongs to them."""
