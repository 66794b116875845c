"""The account changes while it is read: a account to do that in, and what must hold afterwards."""
