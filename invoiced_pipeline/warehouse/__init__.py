"""The place data lands: destination, writer lock and short-lived SQL access."""
