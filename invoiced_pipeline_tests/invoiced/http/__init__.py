"""Tests of `invoiced_pipeline.invoiced.http`."""
