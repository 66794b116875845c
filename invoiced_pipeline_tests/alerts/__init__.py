"""Tests of `invoiced_pipeline.alerts`."""
