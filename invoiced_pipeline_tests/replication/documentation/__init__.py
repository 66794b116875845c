"""Tests of `invoiced_pipeline.replication.documentation`."""
