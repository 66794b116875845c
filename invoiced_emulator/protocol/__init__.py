"""What every request meets: errors, query strings, JSON, pages, the clock and the account."""
