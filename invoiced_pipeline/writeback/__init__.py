"""Rows of the warehouse become records in Invoiced: plan, push, ledger, responses."""
