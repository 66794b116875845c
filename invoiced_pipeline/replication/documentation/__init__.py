"""Descriptions of the dataset, in the warehouse and in docs/schema.md."""
