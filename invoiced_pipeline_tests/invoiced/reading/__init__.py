"""Tests of `invoiced_pipeline.invoiced.reading`."""
