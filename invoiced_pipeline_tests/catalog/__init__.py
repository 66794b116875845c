"""Tests of the catalog of Invoiced's tables."""
