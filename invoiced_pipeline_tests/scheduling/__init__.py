"""Tests of `invoiced_pipeline.scheduling`."""
