"""A folder of Parquet files as a database to read: each file or subfolder is a table."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.database import Session
from invoiced_pipeline.warehouse.duckdb.session import DuckDbSession
from invoiced_pipeline.warehouse.duckdb.source_query import in_memory

_SCHEMA = "parquet"


@contextmanager
def parquet_session(folder: Path) -> Iterator[Session]:
    """Opens a session over `<table>.parquet` and `<table>/**/*.parquet` in a folder.

    Raises:
        WarehouseError: The folder has no such files, or DuckDB cannot read one.
    """
    tables = dict(_tables(folder))
    if not tables:
        message = (
            f"{folder} has no Parquet files. A table is a file such as invoices.parquet, or a "
            "folder such as invoices with Parquet files in it"
        )
        raise WarehouseError(message)
    with in_memory() as connection:
        connection.execute(f"create schema {_SCHEMA}")
        for name, pattern in tables.items():
            try:
                connection.execute(
                    f"create view {_SCHEMA}.{_quoted(name)} as select * from "  # noqa: S608
                    f"read_parquet({_literal(pattern)}, union_by_name = true, "
                    "hive_partitioning = false)"
                )
            except duckdb.Error as error:
                message = f"{name} in {folder} cannot be read as Parquet: {error}"
                raise WarehouseError(message) from None
        yield DuckDbSession(connection, _SCHEMA)


def _tables(folder: Path) -> Iterator[tuple[str, str]]:
    """Yields tables with the pattern of their files."""
    for place in sorted(folder.iterdir()):
        if place.is_dir() and next(place.rglob("*.parquet"), None):
            yield place.name, f"{_escaped(place)}/**/*.parquet"
        elif place.suffix == ".parquet":
            yield place.stem, _escaped(place)


def _escaped(path: Path) -> str:
    return re.sub(r"[\[*?]", r"[\g<0>]", str(path))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
