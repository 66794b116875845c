"""Tests of `invoiced_pipeline.replication.deletions`."""
