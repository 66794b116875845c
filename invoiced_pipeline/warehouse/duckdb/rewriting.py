"""Writes a DuckDB file anew.

DuckDB keeps the bytes of rows that were changed or deleted in free blocks of its file: neither
`checkpoint` nor `vacuum` takes them out (measured with DuckDB 2.0).
"""

from pathlib import Path

import duckdb

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.duckdb.loading import SETTINGS


def rewrite(file: Path, beside: Path) -> None:
    """Puts a copy of what `file` holds in its place.

    Args:
        file: The database; nobody has it open.
        beside: Where the copy is made, on the same disk.

    Raises:
        WarehouseError: It could not be copied; the file is as it was.
    """
    beside.unlink(missing_ok=True)
    try:
        with duckdb.connect() as connection:
            for name, value in SETTINGS.items():
                connection.execute(f"set {name} = '{value}'")
            connection.execute(f"attach {_text(file)} as old")
            connection.execute(f"attach {_text(beside)} as new")
            connection.execute("copy from database old to new")
        beside.replace(file)
    except (duckdb.Error, OSError) as error:
        beside.unlink(missing_ok=True)
        message = (
            f"{file} could not be written anew, so clear values of rows loaded before are still "
            f"in its bytes: {error}. Make room for a copy of it, and close whatever has it open; "
            "the next run repeats it"
        )
        raise WarehouseError(message) from error


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
