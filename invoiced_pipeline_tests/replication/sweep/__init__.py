"""Tests of `invoiced_pipeline.replication.sweep`."""
