"""Tests of `invoiced_pipeline.writeback.recovery`."""
