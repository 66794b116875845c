"""Tests of `invoiced_pipeline.commands.common`."""
