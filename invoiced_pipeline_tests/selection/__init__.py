"""Tests of the selection of tables and columns."""
