"""Descriptions of the dataset: in the warehouse, and as docs/schema.md."""
