"""From API pages to typed, partitioned tables: decode, coverage, dlt source."""
