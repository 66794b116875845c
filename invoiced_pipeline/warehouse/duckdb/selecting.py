"""Queries that users write, over the warehouse or a file: they read, and cannot write."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.database import Selection

_READERS = {".csv": "read_csv", ".parquet": "read_parquet", ".ndjson": "read_ndjson"}
_OTHER_ENDINGS = {".jsonl": ".ndjson"}


def select(connection: duckdb.DuckDBPyConnection, sql: str) -> Selection:
    """The rows of one query.

    Args:
        connection: Opened for reading only, or in memory: a query may hide a change in a CTE.
        sql: One SELECT.

    Raises:
        WarehouseError: It is something else, or more than one statement, or DuckDB refuses it.
    """
    try:
        statements = connection.extract_statements(sql)
        kinds = [statement.type for statement in statements]
        if kinds != [duckdb.StatementType.SELECT]:
            names = ", ".join(kind.name for kind in kinds) or "nothing"
            message = f"a source is one SELECT, and cannot change anything (this is {names})"
            raise WarehouseError(message)
        result = connection.execute(statements[0])
        described = result.description or []
        return Selection(
            columns=tuple(str(column[0]) for column in described),
            json_columns=frozenset(
                str(column[0]) for column in described if str(column[1]) == "JSON"
            ),
            rows=result.fetchall(),
        )
    except duckdb.Error as error:
        raise WarehouseError(str(error)) from error


@contextmanager
def in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection without a file."""
    connection = duckdb.connect()
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()


def file_relation(path: Path) -> str:
    """SQL for the rows of a CSV, Parquet or NDJSON file, whose numbers are exact.

    Columns of a CSV are text, so that 00123 stays what it is.

    Raises:
        WarehouseError: It cannot be read.
    """
    ending = path.suffix.lower()
    reader = _READERS[_OTHER_ENDINGS.get(ending, ending)]
    name = f"'{_quoted(str(path))}'"
    if reader == "read_csv":
        return f"{reader}({name}, all_varchar = true, header = true)"
    if reader == "read_ndjson":
        return f"{reader}({name}, columns = {{{_exact_columns(name)}}})"
    return f"{reader}({name})"


def _exact_columns(name: str) -> str:
    """The columns that DuckDB finds in an NDJSON file, with decimals in place of binary numbers."""
    with in_memory() as connection:
        sql = f"describe select * from read_ndjson({name})"  # noqa: S608 - a quoted name
        columns = select(connection, sql).rows
    return ", ".join(
        f"'{_quoted(column)}': '{_quoted(re.sub(r'DOUBLE', 'DECIMAL(38,10)', kind))}'"
        for column, kind, *_ in columns
    )


def _quoted(text: str) -> str:
    return text.replace("'", "''")
