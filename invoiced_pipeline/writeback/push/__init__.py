"""Sends a plan: exactly once, in order, with every step in the ledger."""
