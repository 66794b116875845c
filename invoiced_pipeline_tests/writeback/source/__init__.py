"""Tests of `invoiced_pipeline.writeback.source`."""
