"""Tests against other programs that read the same API."""
