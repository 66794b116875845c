"""Runs that a command starts in its own process, recorded like others."""
