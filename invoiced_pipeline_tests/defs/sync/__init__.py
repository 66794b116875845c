"""Tests of `invoiced_pipeline.defs.sync`."""
