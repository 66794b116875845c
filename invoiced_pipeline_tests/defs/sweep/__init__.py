"""Tests of `invoiced_pipeline.defs.sweep`."""
