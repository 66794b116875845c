"""SQL that a person typed, on a DuckDB file that is open for reading only."""

from collections.abc import Iterator

import duckdb

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.database import QueryResult

_BATCH = 1_000


def run_query(connection: duckdb.DuckDBPyConnection, sql: str) -> QueryResult:
    """Runs one or more statements; returns the rows of the last, which are read as needed.

    Raises:
        WarehouseError: DuckDB refuses it.
    """
    try:
        result = connection.execute(sql)
    except duckdb.Error as error:
        raise WarehouseError(str(error)) from error
    described = result.description or []
    return QueryResult(
        columns=tuple(str(column[0]) for column in described),
        json_columns=frozenset(
            place for place, column in enumerate(described) if str(column[1]) == "JSON"
        ),
        rows=_rows(result) if described else iter(()),
    )


def _rows(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[object, ...]]:
    try:
        while rows := result.fetchmany(_BATCH):
            yield from rows
    except duckdb.Error as error:
        raise WarehouseError(str(error)) from error
