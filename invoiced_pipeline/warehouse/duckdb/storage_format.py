"""The format of a DuckDB file: it is set when the file is made, and stays with the file.

DuckDB names a format after the first of its versions that can read it.
"""

from pathlib import Path

import duckdb

from invoiced_pipeline.exceptions import WarehouseNotWritableError
from invoiced_pipeline.warehouse.database import StorageFormat


def make_file(file: Path | str, version: str) -> None:
    """Makes an empty database; one that exists meanwhile stays as it is.

    `connect(config={"storage_compatibility_version": ...})` would set the format, too, but then
    every connection of the process has to be opened with the same `config`.

    Raises:
        duckdb.Error: It cannot be made.
        WarehouseNotWritableError: The DuckDB that is installed does not know the version.
    """
    with duckdb.connect() as connection:
        attach(connection, file, "made", version=version)


def attach(
    connection: duckdb.DuckDBPyConnection,
    file: Path | str,
    name: str,
    *,
    version: str | None = None,
) -> None:
    """Attaches a file as `name`; it is made in the format `version` if it does not exist.

    Raises:
        duckdb.Error: It cannot be attached.
        WarehouseNotWritableError: The DuckDB that is installed does not know the version.
    """
    option = f" (storage_version {_text(version)})" if version else ""
    try:
        connection.execute(f"attach {_text(file)} as {name}{option}")
    except duckdb.InvalidInputException as error:
        if "not a known DuckDB version" not in str(error):
            raise
        needed = f"DuckDB {_short(version or '')} or newer"
        message = (
            f"DuckDB {duckdb.__version__}, which is installed, cannot write storage version "
            f"{version}. Install {needed}, or choose an older version"
        )
        raise WarehouseNotWritableError(message) from None


def format_of(connection: duckdb.DuckDBPyConnection, name: str | None = None) -> StorageFormat:
    """The format of an attached file; by default of the one that the connection opened."""
    sql = (
        "select tags['storage_version'] from duckdb_databases() "
        "where database_name = coalesce(?, current_database())"
    )
    row = connection.execute(sql, [name]).fetchone()
    return format_named(str(row[0]).rstrip("+") if row else "unknown")


def format_named(version: str) -> StorageFormat:
    """The format that DuckDB calls `version`."""
    return StorageFormat(version, f"DuckDB {_short(version)} and newer")


def _short(version: str) -> str:
    """`1.4` of `v1.4.0`."""
    return ".".join(version.removeprefix("v").split(".")[:2])


def _text(value: Path | str) -> str:
    return "'" + str(value).replace("'", "''") + "'"
