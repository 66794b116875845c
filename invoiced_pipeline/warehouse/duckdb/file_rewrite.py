"""The rewrite of a DuckDB file, in its own format or another.

DuckDB keeps the bytes of changed and deleted rows in free blocks of its file: neither `checkpoint`
nor `vacuum` removes them (measured with DuckDB 2.0).
"""

import shutil
from pathlib import Path

import duckdb

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseError
from invoiced_pipeline.warehouse.duckdb.connection import busy_message, connect, is_taken
from invoiced_pipeline.warehouse.duckdb.load_settings import SETTINGS
from invoiced_pipeline.warehouse.duckdb.storage_format import attach, format_of


def rewrite(file: Path) -> None:
    """Replaces `file` by a copy of its contents, in the same format.

    Args:
        file: The database; nobody has it open.

    Raises:
        WarehouseError: It could not be copied; the file is unchanged.
    """
    try:
        _replace(file, None)
    except (duckdb.Error, OSError) as error:
        message = (
            f"{file} could not be rewritten, so clear values of rows loaded earlier are still in "
            f"its bytes: {error}. Make room for a copy of it, and close it in other programs; the "
            "next run tries again"
        )
        raise WarehouseError(message) from error


def convert(file: Path, storage_version: str) -> None:
    """Replaces `file` by a copy in the format `storage_version`.

    Args:
        file: The database; the caller holds the writer's lock.
        storage_version: For example `v1.4.0`.

    Raises:
        WarehouseBusyError: Another program has the file open; it is unchanged.
        WarehouseError: It could not be copied; the file is unchanged.
    """
    try:
        _replace(file, storage_version)
    except (duckdb.Error, OSError) as error:
        if is_taken(error):
            raise WarehouseBusyError(busy_message(file, error)) from error
        message = (
            f"{file} could not be converted to {storage_version} and is unchanged: {error}. "
            "Make room for a copy of it in the same folder"
        )
        raise WarehouseError(message) from error


def _replace(file: Path, storage_version: str | None) -> None:
    """Copies a file and moves the copy to its place: a crash leaves the old or the new file.

    Removes what an earlier, killed copy left behind.
    """
    file = file.resolve()  # otherwise the copy would replace a link
    log = file.with_name(f"{file.name}.wal")
    beside = file.with_name(f"{file.name}.new")
    beside_log = beside.with_name(f"{beside.name}.wal")
    for old in (beside, beside_log):
        old.unlink(missing_ok=True)
    try:
        connect(file).close()  # waits for readers, and writes its log into the file
        with duckdb.connect() as connection:
            for name, value in SETTINGS.items():
                connection.execute(f"set {name} = '{value}'")
            attach(connection, file, "old")
            version = storage_version or format_of(connection, "old").version
            attach(connection, beside, "new", version=version)
            connection.execute("copy from database old to new")
        if log.exists() or beside_log.exists():  # it would be applied to the new file
            message = f"DuckDB has not written {log.name} into the file"
            raise OSError(message)
        shutil.copymode(file, beside)
        beside.replace(file)
    finally:
        for left in (beside, beside_log):
            left.unlink(missing_ok=True)
