"""Tests of `invoiced_pipeline.defs.runs`."""
