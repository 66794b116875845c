"""The account changes while it is read: a world to do that in, and what must hold afterwards."""
