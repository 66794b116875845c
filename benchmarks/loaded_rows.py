"""Counts the rows that loads brought into a DuckDB file.

`python -m benchmarks.loaded_rows FILE DATASET SINCE TABLES` prints them as JSON.
"""

import json
import sys

import duckdb


def loaded_rows(file: str, dataset: str, since: float, tables: list[str]) -> dict[str, int]:
    """Counts rows by table loaded after `since`, in epoch seconds: dlt's load ids are times."""
    counts = {}
    with duckdb.connect(file, read_only=True) as connection:
        for table in tables:
            rows = connection.table(f"{dataset}.{table}")
            recent = rows.filter(f"_dlt_load_id::double >= {since}")
            counts[table] = recent.count("*").fetchall()[0][0]
    return counts


if __name__ == "__main__":
    sys.stdout.write(json.dumps(loaded_rows(*sys.argv[1:3], float(sys.argv[3]), sys.argv[4:])))
