"""The ASGI application: authentication, idempotency, routes and faults."""
