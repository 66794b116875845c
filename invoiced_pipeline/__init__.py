"""Keeps a company's Invoiced account and its warehouse in step."""
