"""Tests of `invoiced_pipeline.writeback.push`."""
