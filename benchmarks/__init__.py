"""Compares the pipeline's speed with `tap-invoiced | target-duckdb` over one emulated API."""
