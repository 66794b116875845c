"""Copies of tables, which come as Arrow batches, into a dataset on a server."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
from adbc_driver_manager import dbapi
from adbc_driver_postgresql import _driver_path

from invoiced_pipeline.catalog import ALL_TABLES
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.postgres.nul_character import storable
from invoiced_pipeline.warehouse.stored_table import StoredColumn, StoredTable

_TYPES = {
    "BIGINT": "bigint",
    "INTEGER": "bigint",
    "VARCHAR": "varchar",
    "BOOLEAN": "boolean",
    "DOUBLE": "double precision",
    "JSON": "json",
    "DATE": "date",
    "TIMESTAMP": "timestamp with time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}
"""DuckDB's types that a dataset has, and PostgreSQL's; DECIMAL(38,10) is numeric(38,10)."""


def copy_tables(tables: Iterable[StoredTable], address: str, dataset: str) -> Mapping[str, int]:
    """Copies tables in one transaction; the caller holds the writer's lock.

    Args:
        tables: What is copied.
        address: The server with user and password.
        dataset: The schema; none of the tables is in it yet.

    Returns:
        Rows by table.

    Raises:
        WarehouseError: A column cannot be copied. Nothing was changed.
    """
    rows: dict[str, int] = {}
    with (
        dbapi.connect(driver=_driver_path(), db_kwargs={"uri": address}) as connection,
        connection.cursor() as cursor,
    ):
        for table in tables:
            cursor.execute(f'create table "{dataset}"."{table.name}" ({_declared(table)})')
            rows[table.name] = cursor.adbc_ingest(
                table.name, _storable_rows(table), mode="append", db_schema_name=dataset
            )
        for name, key in _keys().items():
            if name in rows:
                cursor.execute(f'create index on "{dataset}"."{name}" ({key})')
        connection.commit()
    return rows


def _declared(table: StoredTable) -> str:
    return ", ".join(
        f'"{each.name}" {_type(table, each)}{"" if each.may_be_null else " not null"}'
        for each in table.columns
    )


def _type(table: StoredTable, column: StoredColumn) -> str:
    if column.type.startswith("DECIMAL("):
        return column.type.replace("DECIMAL", "numeric")
    if column.type not in _TYPES:
        message = (
            f"{table.name}.{column.name} is of type {column.type}, which cannot be copied. "
            "Nothing was copied"
        )
        raise WarehouseError(message)
    return _TYPES[column.type]


def _storable_rows(table: StoredTable) -> pa.RecordBatchReader:
    json = {each.name for each in table.columns if each.type == "JSON"}
    reader: Any = table.rows()

    def batches() -> Iterator[Any]:
        for batch in reader:
            yield storable(batch, json)

    return pa.RecordBatchReader.from_batches(reader.schema, batches())


def _keys() -> dict[str, str]:
    """The columns by which merges find rows: the same indexes as a load creates."""
    keys = {
        name: f'"{table.primary_key}"'
        for table in ALL_TABLES
        for name in (table.name, table.versions_name)
    }
    for table in ALL_TABLES:
        for child in table.children:
            keys[table.child_name(child)] = f'"{table.parent_column}"'
    return keys
