"""The sweep: compares all ids with the API and marks records deleted without an event."""
