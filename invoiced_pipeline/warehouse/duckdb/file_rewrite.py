"""Writes a DuckDB file again, in its format or in another.

DuckDB keeps the bytes of rows that were changed or deleted in free blocks of its file: neither
`checkpoint` nor `vacuum` takes them out (measured with DuckDB 2.0).
"""

import shutil
from pathlib import Path

import duckdb

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseError
from invoiced_pipeline.warehouse.duckdb.connection import busy_message, connect, is_taken
from invoiced_pipeline.warehouse.duckdb.load_settings import SETTINGS
from invoiced_pipeline.warehouse.duckdb.storage_format import attach, format_of


def rewrite(file: Path) -> None:
    """Puts a copy of what `file` holds in its place; its format stays.

    Args:
        file: The database; nobody has it open.

    Raises:
        WarehouseError: It could not be copied; the file is as it was.
    """
    try:
        _replace(file, None)
    except (duckdb.Error, OSError) as error:
        message = (
            f"{file} could not be written anew, so clear values of rows loaded before are still "
            f"in its bytes: {error}. Make room for a copy of it, and close whatever has it open; "
            "the next run repeats it"
        )
        raise WarehouseError(message) from error


def convert(file: Path, storage_version: str) -> None:
    """Puts a copy in the format `storage_version` in the place of `file`.

    Args:
        file: The database; the caller holds the writer's lock.
        storage_version: Such as `v1.4.0`.

    Raises:
        WarehouseBusyError: Another program has the file open.
        WarehouseError: It could not be copied. The file is as it was in either case.
    """
    try:
        _replace(file, storage_version)
    except (duckdb.Error, OSError) as error:
        if is_taken(error):
            raise WarehouseBusyError(busy_message(file, error)) from error
        message = (
            f"{file} could not be converted to {storage_version}, and is as it was: {error}. "
            "There must be room for a copy beside it"
        )
        raise WarehouseError(message) from error


def _replace(file: Path, storage_version: str | None) -> None:
    """Copies a file beside itself and puts the copy in its place: a crash leaves one or the other.

    What a copy that was killed has left behind is removed.
    """
    file = file.resolve()  # else the copy would take the place of a link
    log = file.with_name(f"{file.name}.wal")
    beside = file.with_name(f"{file.name}.new")
    beside_log = beside.with_name(f"{beside.name}.wal")
    for old in (beside, beside_log):
        old.unlink(missing_ok=True)
    try:
        connect(file).close()  # waits while another program reads it, and writes its log into it
        with duckdb.connect() as connection:
            for name, value in SETTINGS.items():
                connection.execute(f"set {name} = '{value}'")
            attach(connection, file, "old")
            version = storage_version or format_of(connection, "old").version
            attach(connection, beside, "new", version=version)
            connection.execute("copy from database old to new")
        if log.exists() or beside_log.exists():  # it would be applied to the wrong file
            message = f"DuckDB has not written {log.name} into the file"
            raise OSError(message)
        shutil.copymode(file, beside)
        beside.replace(file)
    finally:
        for left in (beside, beside_log):
            left.unlink(missing_ok=True)
