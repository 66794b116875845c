"""The ledger: what was sent for every row, what the API returned, and under which key."""
