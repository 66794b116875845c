"""Tests of `invoiced_pipeline.warehouse`."""
