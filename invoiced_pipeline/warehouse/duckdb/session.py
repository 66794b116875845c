"""A session over a dataset in a DuckDB file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseError
from invoiced_pipeline.settings import STORAGE_VERSION
from invoiced_pipeline.warehouse.database import Session
from invoiced_pipeline.warehouse.duckdb.opening import (
    busy_message,
    connect,
    is_taken,
    problem_message,
)


class DuckDbSession(Session):
    """Statements over one connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, dataset: str) -> None:
        self._connection = connection
        self._dataset = dataset

    @property
    def dataset(self) -> str:
        """The schema that names without one mean."""
        return self._dataset

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with _told():
            return self._execute(sql, values).fetchall()

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Runs a statement that has no rows to give."""
        with _told():
            self._execute(sql, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits what is run inside at its end, all or nothing."""
        self.run("begin")
        try:
            yield
        except BaseException:
            self.run("rollback")
            raise
        self.run("commit")

    def comment(self, view: str) -> str | None:
        """What was said of a view."""
        sql = (
            "select comment from duckdb_views() where database_name = current_database() "
            "and schema_name = %s and view_name = %s"
        )
        return next((text for (text,) in self.rows(sql, [self._dataset, view])), None)

    def _execute(self, sql: str, values: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        if not values:
            return self._connection.execute(sql)
        return self._connection.execute(sql.replace("%s", "?").replace("%%", "%"), list(values))


@contextmanager
def open_session(
    file: Path, dataset: str, *, read_only: bool, storage_version: str = STORAGE_VERSION
) -> Iterator[DuckDbSession]:
    """A session over `dataset` in `file`; see `Database.session`."""
    with open_connection(
        file, dataset, read_only=read_only, storage_version=storage_version
    ) as connection:
        yield DuckDbSession(connection, dataset)


@contextmanager
def open_connection(
    file: Path, dataset: str, *, read_only: bool, storage_version: str = STORAGE_VERSION
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to `file` on which names without a schema mean tables of `dataset`."""
    with open_file(file, read_only=read_only, storage_version=storage_version) as connection:
        with _told():
            connection.execute("set timezone = 'UTC'")
            if not read_only:
                connection.execute("set max_vacuum_tasks = 0")  # loads see to it, now and then
            _use(connection, dataset, make=not read_only)
        yield connection


@contextmanager
def open_file(
    file: Path, *, read_only: bool, storage_version: str = STORAGE_VERSION
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to `file` as DuckDB opens it.

    Raises:
        WarehouseBusyError: Another program has it open.
        WarehouseError: It cannot be opened.
    """
    try:
        connection = connect(file, read_only=read_only, storage_version=storage_version)
    except duckdb.Error as error:
        if is_taken(error):
            raise WarehouseBusyError(busy_message(file, error)) from error
        problem = f"Cannot open {file}: {error}. Check that it is a DuckDB file, then run again"
        raise WarehouseError(problem_message(file, error, problem)) from error
    try:
        yield connection
    finally:
        connection.close()


def _use(connection: duckdb.DuckDBPyConnection, dataset: str, *, make: bool) -> None:
    """Lets names without a schema mean tables of `dataset`.

    The schema alone would be ambiguous where the file is called like it.
    """
    row = connection.execute("select current_database()").fetchone()
    name = str(row[0] if row else "")
    catalog = name.replace('"', '""')
    sql = "select 1 from duckdb_schemas() where database_name = ? and schema_name = ?"
    if connection.execute(sql, [name, dataset]).fetchone() is None:
        if not make:
            return
        connection.execute(f'create schema "{catalog}"."{dataset}"')
    connection.execute(f'use "{catalog}"."{dataset}"')


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise WarehouseError(str(error)) from error
