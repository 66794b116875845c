"""Reads a write-back's source and maps its rows to requests of the API."""
