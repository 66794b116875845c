"""HTTP to the API: connections, retries, rate limit, one request at a time."""
