"""HTTP requests to the API: connections, retries, the limit on requests in flight, errors."""
