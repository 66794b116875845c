"""The ledger: what was sent for every row, what the API answered, and under which key."""
