"""Deleted records: events, transactions that vanish, and what a deletion means for other rows."""
