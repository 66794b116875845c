"""A PostgreSQL database as the warehouse."""
