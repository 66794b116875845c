"""Which names of datasets a destination takes."""

from invoiced_pipeline.settings.connection import ConnectionSettings
from invoiced_pipeline.settings.warehouse import Destination

DERIVED = ("_staging", "_models", "_current")
"""Endings of the schemas beside a dataset. dlt makes `_staging`; the others are kept free."""

LONGEST = {"postgres": 63, "duckdb": 128}
"""Bytes of a name. PostgreSQL cuts a longer one off. DuckDB has no limit, but files beside the
warehouse are named after file and dataset, and file systems take 255 bytes for both."""

_LABELS = {"postgres": "PostgreSQL", "duckdb": "DuckDB"}

_RESERVED = {
    "postgres": ("information_schema",),
    # In DuckDB `temp` and `system` are databases, and `main` is where it looks up bare names.
    "duckdb": ("information_schema", "pg_catalog", "main", "temp", "system"),
}


def dataset_problem(connection: ConnectionSettings, destination: Destination) -> str | None:
    """Says why a connection's dataset cannot be in the destination; None if it can."""
    dataset, label = connection.dataset, _LABELS[destination]
    where = f"connection {connection.name!r}: name"
    is_system = destination == "postgres" and dataset.startswith("pg_")
    if is_system or dataset in _RESERVED[destination]:
        return (
            f"{where}: the dataset {dataset!r} would be a schema that {label} reserves for itself. "
            "Choose another name"
        )
    longest = max(map(len, DERIVED))
    limit = LONGEST[destination] - longest
    length = len(dataset.encode())
    if length > limit:
        return (
            f"{where}: the dataset {dataset!r} has {length} bytes and may have {limit}: a name on "
            f"{label} may have {LONGEST[destination]}, and schemas beside the dataset add up "
            f"to {longest}, such as {DERIVED[0]}. Choose a shorter name"
        )
    return None
