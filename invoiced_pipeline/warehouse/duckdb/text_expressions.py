"""SQL expressions on rows of texts."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.warehouse.added_columns import ExpressionFailedError
from invoiced_pipeline.warehouse.duckdb.source_query import in_memory, select


def evaluate(
    expressions: Mapping[str, str],
    columns: Sequence[str],
    rows: Sequence[tuple[str | None, ...]],
    places: Sequence[str],
) -> list[tuple[Any, ...]]:
    """Returns the values of all expressions for every row, in the rows' order.

    Args:
        expressions: The expressions, by the column that they define.
        columns: Names of the rows' texts.
        rows: The texts.
        places: Name of each row in messages.

    Raises:
        ExpressionFailedError: An expression cannot be evaluated.
    """
    by_column = zip(*rows, strict=True) if rows else ((),) * len(columns)
    arrays = [pa.array(values, pa.string()) for values in by_column]
    table = pa.Table.from_arrays(arrays, names=list(columns))
    with in_memory() as connection:
        found = []
        for name, sql in expressions.items():
            try:
                found.append(_values(connection, table, sql))
            except WarehouseError as error:
                at = _first_failing(connection, table, sql)
                place = f" in {places[at]}" if at is not None else ""
                reason = f"`{sql.strip()}` fails{place}: {_cause(error)}"
                raise ExpressionFailedError(name, reason) from None
    return list(zip(*found, strict=True))


def _values(connection: duckdb.DuckDBPyConnection, table: pa.Table, sql: str) -> list[Any]:
    connection.register("rows_of_texts", table)
    query = f"select ({sql}\n) from rows_of_texts as source"  # noqa: S608 - it can only read
    rows = select(connection, query).rows
    if len(rows) != table.num_rows:
        message = f"it gives {counted(len(rows), 'row')} for {table.num_rows}"
        raise WarehouseError(message)
    return [value for (value,) in rows]


def _first_failing(connection: duckdb.DuckDBPyConnection, table: pa.Table, sql: str) -> int | None:
    """Returns the first row for which an expression fails; None if it fails without rows."""

    def fails(count: int) -> bool:
        try:
            _values(connection, table.slice(0, count), sql)
        except WarehouseError:
            return True
        return False

    if fails(0):
        return None
    good, bad = 0, table.num_rows
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (good, middle) if fails(middle) else (middle, bad)
    return bad - 1


def _cause(error: WarehouseError) -> str:
    """Returns DuckDB's message without its kind and without the query that it repeats."""
    text = str(error).partition("\n\nLINE ")[0].partition("\nLINE ")[0].strip()
    return re.sub(r"^[A-Z]\w+ Error: ", "", text)
