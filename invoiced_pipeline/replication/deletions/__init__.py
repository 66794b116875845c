"""Deleted records: the events feed, transactions that vanish, and consequences for other rows."""
