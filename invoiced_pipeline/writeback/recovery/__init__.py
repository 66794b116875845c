"""Outcomes that are not known: looked up in Invoiced, then resolved."""
