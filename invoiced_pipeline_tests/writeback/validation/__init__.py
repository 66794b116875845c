"""Tests of `invoiced_pipeline.writeback.validation`."""
