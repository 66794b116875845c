"""The tables of a dataset in a DuckDB file, with their columns and rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa

from invoiced_pipeline.warehouse.duckdb.session import open_connection
from invoiced_pipeline.warehouse.stored_table import StoredColumn, StoredTable

_BATCH = 20_000
"""Rows in memory at a time."""

_COLUMNS = (
    "select table_name, column_name, data_type, is_nullable = 'YES' "
    "from information_schema.columns join information_schema.tables "
    "using (table_catalog, table_schema, table_name) "
    "where table_schema = ? and table_type = 'BASE TABLE' "
    "order by table_name, ordinal_position"
)


@contextmanager
def stored_tables(file: Path, dataset: str) -> Iterator[list[StoredTable]]:
    """Opens the file for reading, and yields the tables of a dataset; views are left out.

    Raises:
        WarehouseError: The file cannot be opened.
    """
    with open_connection(file, dataset, read_only=True) as connection:
        columns: dict[str, list[StoredColumn]] = {}
        for table, *column in connection.execute(_COLUMNS, [dataset]).fetchall():
            columns.setdefault(table, []).append(StoredColumn(*column))
        yield [
            StoredTable(name, tuple(found), partial(_rows, connection, name, found))
            for name, found in columns.items()
        ]


def _rows(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[StoredColumn]
) -> pa.RecordBatchReader:
    # DuckDB gives JSON an Arrow type of its own, which ADBC does not know.
    listed = ", ".join(
        f'cast("{each.name}" as varchar) as "{each.name}"'
        if each.type == "JSON"
        else f'"{each.name}"'
        for each in columns
    )
    relation = connection.sql(f'select {listed} from "{table}"')  # noqa: S608 - our own names
    return relation.to_arrow_reader(_BATCH)
