"""Tests of `invoiced_pipeline.defs.retention`."""
