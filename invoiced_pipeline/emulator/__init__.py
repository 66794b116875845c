"""A local Invoiced: the HTTP surface of the API over a SQLite file."""
