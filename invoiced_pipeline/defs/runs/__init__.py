"""Which runs are alive, and which died without reporting it."""
