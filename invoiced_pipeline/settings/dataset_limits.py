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
    """Explains why the destination cannot hold a connection's schemas; None if it can."""
    dataset, label = connection.dataset, _LABELS[destination]
    where = f"connection {connection.name!r}: name"
    stitch_schema = connection.stitch_schema
    if stitch_schema and _is_reserved(stitch_schema, destination):
        return (
            f"connection {connection.name!r}: stitch_schema: {label} reserves the schema "
            f"{stitch_schema!r}. Choose another name"
        )
    if _is_reserved(dataset, destination):
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


def _is_reserved(schema: str, destination: Destination) -> bool:
    is_system = destination == "postgres" and schema.startswith("pg_")
    return is_system or schema in _RESERVED[destination]
