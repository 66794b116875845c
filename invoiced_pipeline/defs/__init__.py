"""Dagster's definitions and runs: the only package that imports Dagster."""
