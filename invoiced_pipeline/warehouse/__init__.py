"""The warehouse: destination of loads, writer's lock and short-lived SQL sessions."""
