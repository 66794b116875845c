"""The format of a DuckDB file, which is set when the file is created, and never changes.

DuckDB names a format after the first of its versions that can read it.
"""

from pathlib import Path

import duckdb

from invoiced_pipeline.exceptions import WarehouseNotWritableError
from invoiced_pipeline.warehouse.database import StorageFormat


def create_file(file: Path | str, version: str) -> None:
    """Creates an empty database; a file that exists by then stays as it is.

    `connect(config={"storage_compatibility_version": ...})` would set the format, too, but every
    connection of the process would need the same `config`.

    Raises:
        duckdb.Error: It cannot be created.
        WarehouseNotWritableError: The installed DuckDB does not know the version.
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
    """Attaches a file as `name`; creates it in the format `version` if it does not exist.

    Raises:
        duckdb.Error: It cannot be attached.
        WarehouseNotWritableError: The installed DuckDB does not know the version.
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
    """Returns the format of an attached file; by default of the connection's own file."""
    sql = (
        "select tags['storage_version'] from duckdb_databases() "
        "where database_name = coalesce(?, current_database())"
    )
    row = connection.execute(sql, [name]).fetchone()
    return format_named(str(row[0]).rstrip("+") if row else "unknown")


def format_named(version: str) -> StorageFormat:
    """Returns the format that DuckDB calls `version`."""
    return StorageFormat(version, f"DuckDB {_short(version)} and newer")


def _short(version: str) -> str:
    """Returns `1.4` for `v1.4.0`."""
    return ".".join(version.removeprefix("v").split(".")[:2])


def _text(value: Path | str) -> str:
    return "'" + str(value).replace("'", "''") + "'"
