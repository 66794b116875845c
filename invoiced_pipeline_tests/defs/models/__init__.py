"""Tests of the models as assets."""
