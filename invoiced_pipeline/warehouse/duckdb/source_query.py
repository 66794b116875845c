"""Queries of write-back sources, on the warehouse or a Parquet file; they cannot write."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.added_columns import with_columns
from invoiced_pipeline.warehouse.database import Selection

_MISSING_EXTENSION = re.compile(r"""(?:INSTALL |required extension ')(\w+)""")


def select(connection: duckdb.DuckDBPyConnection, sql: str) -> Selection:
    """Returns the rows of one query.

    Args:
        connection: Open for reading only, or in memory, because a CTE can hide a change.
        sql: One SELECT.

    Raises:
        WarehouseError: It is not one SELECT, or DuckDB refuses it.
    """
    try:
        connection.execute("set autoinstall_known_extensions = false")
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
        raise WarehouseError(_refusal(error)) from error


@contextmanager
def in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """Opens a connection without a file."""
    connection = duckdb.connect()
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()


def select_parquet(path: Path, added: Mapping[str, str]) -> Selection:
    """Returns all rows of a Parquet file, in its order; see `warehouse.files.select_file`."""
    try:
        names = pq.read_schema(path).names
    except (pa.ArrowException, OSError) as error:
        message = f"{path.name} cannot be read as Parquet: {error}"
        raise WarehouseError(message) from None
    # DuckDB takes the path for a pattern, and `year=2026` in it for a column.
    pattern = re.sub(r"[\[*?]", r"[\g<0>]", str(path)).replace("'", "''")
    relation = f"read_parquet('{pattern}', hive_partitioning = false)"
    with in_memory() as connection:
        found = select(connection, with_columns(relation, added))
    if list(found.columns[: len(names)]) != names:
        message = (
            f"{path.name} has two columns whose names are the same, or differ in case only. "
            "Rename one"
        )
        raise WarehouseError(message)
    return found


def _refusal(error: duckdb.Error) -> str:
    """Returns DuckDB's text, or what to do if an extension is missing."""
    text = str(error)
    missing = _MISSING_EXTENSION.search(text)
    if missing is None:
        return text
    name = missing.group(1)
    return (
        f"the query needs DuckDB's extension {name}, and nothing is downloaded to read a source. "
        f"Save the file as CSV UTF-8 and name it as the source, or install the extension once: "
        f"INSTALL {name}"
    )
