"""Subscriptions and their billing periods."""
