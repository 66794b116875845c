"""Queries that users write, over the warehouse or a file: they read, and cannot write."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.database import Selection
from invoiced_pipeline.warehouse.relations import with_columns


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


def select_file(path: Path, added: Mapping[str, str]) -> Selection:
    """All rows of a file, in its order; see `warehouse.files.select_file`."""
    name = f"'{_quoted(str(path))}'"
    kind = path.suffix.lower()
    with in_memory() as connection:
        if kind == ".csv":
            # Text, so that 00123 stays what it is, and 9.99 becomes no binary number.
            relation = f"read_csv({name}, all_varchar = true, header = true)"
            return select(connection, with_columns(relation, added))
        if kind == ".parquet":
            return select(connection, with_columns(f"read_parquet({name})", added))
        relation = f"read_ndjson({name}, sample_size = -1)"
        found = select(connection, with_columns(relation, added))
        sql = f"select json from read_ndjson_objects({name})"  # noqa: S608 - a quoted name
        return _exact(found, [text for (text,) in select(connection, sql).rows])


def _exact(found: Selection, lines: Sequence[str]) -> Selection:
    """The same rows with the values that stand in the file: DuckDB makes its numbers binary."""
    decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
    rows = []
    for row, line in zip(found.rows, lines, strict=True):
        record = decoder.decode(line)
        rows.append(
            tuple(record.get(name, value) for name, value in zip(found.columns, row, strict=True))
        )
    return Selection(columns=found.columns, rows=rows)


def _quoted(text: str) -> str:
    return text.replace("'", "''")
