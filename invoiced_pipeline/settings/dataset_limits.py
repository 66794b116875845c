"""Limits on names of datasets, by destination."""

from invoiced_pipeline.settings.connection import ConnectionSettings
from invoiced_pipeline.settings.warehouse import Destination

DERIVED = ("_staging", "_models", "_current")
"""Suffixes of schemas derived from a dataset. dlt creates `_staging`; the others are reserved."""

LONGEST = {"postgres": 63, "duckdb": 128}
"""Bytes of a schema's name. PostgreSQL truncates longer names. DuckDB has no limit, but files
beside the warehouse are named after file and dataset, and file systems allow 255 bytes."""

_LABELS = {"postgres": "PostgreSQL", "duckdb": "DuckDB"}

_RESERVED = {
    "postgres": ("information_schema",),
    # In DuckDB, `temp` and `system` are databases, and `main` is the default schema.
    "duckdb": ("information_schema", "pg_catalog", "main", "temp", "system"),
}


def dataset_problem(connection: ConnectionSettings, destination: Destination) -> str | None:
    """Explains why the destination cannot hold a connection's dataset; None if it can."""
    dataset, label = connection.dataset, _LABELS[destination]
    where = f"connection {connection.name!r}: name"
    is_system = destination == "postgres" and dataset.startswith("pg_")
    if is_system or dataset in _RESERVED[destination]:
        return (
            f"{where}: {label} reserves the schema {dataset!r}, so no dataset can have that name. "
            "Choose another name"
        )
    longest = max(map(len, DERIVED))
    limit = LONGEST[destination] - longest
    length = len(dataset.encode())
    if length > limit:
        return (
            f"{where}: the dataset {dataset!r} has {length} bytes; the limit is {limit}. {label} "
            f"allows {LONGEST[destination]} bytes for a schema, and schemas derived from the "
            f"dataset, such as {DERIVED[0]}, add up to {longest}. Choose a shorter name"
        )
    return None
