"""Tests of invoiced_pipeline; the folders mirror the package."""
