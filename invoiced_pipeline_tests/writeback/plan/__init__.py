"""Tests of `invoiced_pipeline.writeback.plan`."""
