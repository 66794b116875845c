"""Tests of the comparison of replicas."""
