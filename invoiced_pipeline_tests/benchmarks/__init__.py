"""Tests of the benchmark: not of speed, but of what it makes of its figures."""
