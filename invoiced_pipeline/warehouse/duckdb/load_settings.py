"""DuckDB's settings while it writes: bounds of memory, and no work that can wait."""

SETTINGS = {
    "memory_limit": "100MB",  # beyond it DuckDB spills to disk
    "threads": 1,  # more need more memory, and wait for the same disk (measured)
    "preserve_insertion_order": False,  # else whole row groups wait for their turn, in memory
    "checkpoint_threshold": "1GB",
    "max_vacuum_tasks": 0,  # see VACUUM_EVERY
}
