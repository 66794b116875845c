"""Files as sources: whatever the warehouse is, an embedded DuckDB reads them."""

from collections.abc import Mapping
from pathlib import Path

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.database import Selection


def select_file(path: Path, added: Mapping[str, str]) -> Selection:
    """All rows of a CSV, Parquet or NDJSON file, in its order, numbers exact.

    Args:
        path: The file.
        added: Further columns, by name, as SQL expressions over the file's columns.

    Raises:
        WarehouseError: It is not there, or cannot be read.
    """
    from invoiced_pipeline.warehouse.duckdb import selecting

    if not path.exists():
        message = f"there is no file {path}"
        raise WarehouseError(message)
    return selecting.select_file(path, added)
