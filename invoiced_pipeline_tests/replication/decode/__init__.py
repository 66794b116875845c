"""Tests of `invoiced_pipeline.replication.decode`."""
