"""DuckDB's settings during a load or a rewrite: little memory, and no work that can wait."""

SETTINGS = {
    "memory_limit": "100MB",  # above it, DuckDB spills to disk
    "threads": 1,  # more need more memory, and wait for the same disk (measured)
    "preserve_insertion_order": False,  # otherwise whole row groups wait in memory
    "checkpoint_threshold": "1GB",
    "max_vacuum_tasks": 0,  # see VACUUM_EVERY
}

SMALL_LOAD_BYTES = 2_000_000
"""Size up to which a load, as Parquet, is small: about 5,000 invoices with their line items."""

SMALL_LOAD_MEMORY = "32MB"
"""The memory limit of a small load. DuckDB fills what it may use with pages of the tables that the
rows are merged into: without a limit of its own, the memory of a sync grows with the account."""
