"""How fast the pipeline is, measured beside `tap-invoiced | target-duckdb` on one emulated API."""
