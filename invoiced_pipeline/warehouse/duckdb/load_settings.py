"""DuckDB's settings during a load or a rewrite: little memory, and no work that can wait."""

SETTINGS = {
    "memory_limit": "100MB",  # above it, DuckDB spills to disk
    "threads": 1,  # more need more memory, and wait for the same disk (measured)
    "preserve_insertion_order": False,  # otherwise whole row groups wait in memory
    "checkpoint_threshold": "1GB",
    "max_vacuum_tasks": 0,  # see VACUUM_EVERY
}
