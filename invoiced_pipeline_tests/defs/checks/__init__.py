"""Tests of `invoiced_pipeline.defs.checks`."""
