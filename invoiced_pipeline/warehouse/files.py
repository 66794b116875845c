"""Files as sources: whatever the warehouse is, an embedded DuckDB reads them."""

from collections.abc import Mapping
from pathlib import Path

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.database import Selection


def select_file(path: Path, added: Mapping[str, str]) -> Selection:
    """All rows of a CSV, Parquet or NDJSON file, in its order.

    Args:
        path: The file.
        added: Further columns, by name, as SQL expressions over the file's columns.

    Raises:
        WarehouseError: It is not there, or cannot be read.
    """
    from invoiced_pipeline.warehouse.duckdb.selecting import file_relation, in_memory, select

    if not path.exists():
        message = f"there is no file {path}"
        raise WarehouseError(message)
    with in_memory() as connection:
        return select(connection, with_columns(file_relation(path), added))


def with_columns(relation: str, added: Mapping[str, str]) -> str:
    """A query for a relation with columns added, in the relation's order."""
    columns = "".join(f', ({sql}\n) as "{name}"' for name, sql in added.items())
    return f"select source.*{columns} from {relation} as source"  # noqa: S608 - it cannot write
