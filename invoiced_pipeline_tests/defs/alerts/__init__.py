"""Tests of `invoiced_pipeline.defs.alerts`."""
