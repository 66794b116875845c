"""The store: kinds of records, their rows in SQLite, their changes and events."""
