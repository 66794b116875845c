"""Sessions over a dataset in a DuckDB file."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseError
from invoiced_pipeline.settings import STORAGE_VERSION
from invoiced_pipeline.warehouse.database import Relation, Session
from invoiced_pipeline.warehouse.duckdb.connection import (
    busy_message,
    connect,
    is_taken,
    problem_message,
)


class DuckDbSession(Session):
    """A session over one DuckDB connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, dataset: str) -> None:
        self._connection = connection
        self._dataset = dataset

    @property
    def dataset(self) -> str:
        """The schema of table names without a schema."""
        return self._dataset

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Returns all rows of a query."""
        with _own_errors():
            return self._execute(sql, values).fetchall()

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Runs a statement that returns no rows."""
        with _own_errors():
            self._execute(sql, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits all statements of the block at its end, or none."""
        self.run("begin")
        try:
            yield
        except BaseException:
            self.run("rollback")
            raise
        self.run("commit")

    def relations(self, schemas: Sequence[str]) -> list[Relation]:
        """Returns the tables and views with their comments."""
        where = f"database_name = current_database() and schema_name in ({_places(schemas)})"
        columns: dict[tuple[str, str], dict[str, str | None]] = defaultdict(dict)
        for schema, name, column, comment in self.rows(
            f"select schema_name, table_name, column_name, comment from duckdb_columns() "  # noqa: S608
            f"where {where} order by column_index",
            schemas,
        ):
            columns[schema, name][column] = comment
        found = self.rows(
            f"select schema_name, table_name, false, comment from duckdb_tables() where {where} "  # noqa: S608
            f"union all select schema_name, view_name, true, comment from duckdb_views() "
            f"where {where}",
            [*schemas, *schemas],
        )
        return [Relation(*each, columns=columns[each[0], each[1]]) for each in found]

    def qualified(self, schema: str, name: str | None = None) -> str:
        """Returns the name with its catalog, as a schema may have the same name as the file."""
        return ".".join(map(_quoted, filter(None, (self.catalog, schema, name))))

    def seen_from_beside(self, name: str) -> str | None:
        """Returns the name without the catalog, so that views work in a file attached as another.

        If file and dataset have the same name, it is ambiguous, and so is the full name in a view
        (tried with DuckDB 2.0).
        """
        if self.catalog.lower() == self._dataset.lower():
            return None
        return f"{_quoted(self._dataset)}.{_quoted(name)}"

    def elements(self, column: str) -> str:
        """Returns the elements as DuckDB unnests them; `with ordinality` is newer than 1.2."""
        array = f"case when json_type({column}) = 'ARRAY' then {column} end"
        array = f"""from_json({array}, '["JSON"]')"""
        return f"select unnest({array}) as value, generate_subscripts({array}, 1) as position"

    @property
    def catalog(self) -> str:
        """The name that DuckDB gives the file's database."""
        return self._catalog

    @cached_property
    def _catalog(self) -> str:
        return str(self.rows("select current_database()")[0][0])

    def _execute(self, sql: str, values: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        if not values:
            return self._connection.execute(sql)
        return self._connection.execute(sql.replace("%s", "?").replace("%%", "%"), list(values))


def _places(values: Sequence[str]) -> str:
    return ", ".join(["%s"] * len(values))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def open_session(
    file: Path, dataset: str, *, read_only: bool, storage_version: str = STORAGE_VERSION
) -> Iterator[DuckDbSession]:
    """Opens a session over `dataset` in `file`; see `Database.session`."""
    with open_connection(
        file, dataset, read_only=read_only, storage_version=storage_version
    ) as connection:
        yield DuckDbSession(connection, dataset)


@contextmanager
def open_connection(
    file: Path, dataset: str, *, read_only: bool, storage_version: str = STORAGE_VERSION
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Opens a connection to `file` on which names without a schema mean tables of `dataset`."""
    with open_file(file, read_only=read_only, storage_version=storage_version) as connection:
        with _own_errors():
            connection.execute("set timezone = 'UTC'")
            if not read_only:
                connection.execute("set max_vacuum_tasks = 0")  # every VACUUM_EVERY-th load does it
            _use(connection, dataset, make=not read_only)
        yield connection


@contextmanager
def open_file(
    file: Path, *, read_only: bool, storage_version: str = STORAGE_VERSION
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Opens a connection to `file` with DuckDB's own settings.

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
    """Makes names without a schema mean tables of `dataset`.

    The schema's name alone would be ambiguous if the file has the same name.
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
def _own_errors() -> Iterator[None]:
    """Raises our errors instead of the driver's."""
    try:
        yield
    except duckdb.Error as error:
        raise WarehouseError(str(error)) from error
