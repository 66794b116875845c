"""Outcomes that are not known: looked up in Invoiced, and settled."""
