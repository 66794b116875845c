"""Tests of `invoiced_pipeline.defs.launch`."""
