"""Tests of `invoiced_pipeline.defs.writeback`."""
