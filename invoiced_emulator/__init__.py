"""A local Invoiced: its API over HTTP, on records in a SQLite file."""
