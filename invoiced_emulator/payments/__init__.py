"""Payments, charges, refunds, transactions and credit."""
