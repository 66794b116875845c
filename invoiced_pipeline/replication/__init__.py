"""Replication: from API pages to typed tables, with coverage, deletions and rejects."""
