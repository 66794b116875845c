"""Copies the tables of a dataset in a DuckDB file into the same dataset on a server."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adbc_driver_manager import dbapi
from adbc_driver_postgresql import _driver_path

from invoiced_pipeline.catalog import TABLES
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.duckdb.session import open_connection
from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase
from invoiced_pipeline.warehouse.postgres.nul_character import storable

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_BATCH = 20_000
"""Rows in memory at a time."""

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


Columns = Sequence[tuple[str, str, bool]]
"""Names, DuckDB's types, and whether they may be NULL."""


def copy_tables(file: Path, target: PostgresDatabase, dataset: str) -> Mapping[str, int]:
    """Copies every table, in one transaction; the caller holds both locks.

    Args:
        file: The DuckDB file.
        target: The server.
        dataset: What is copied; nothing of it is there yet.

    Returns:
        Rows by table.

    Raises:
        WarehouseError: There are none, or a column cannot be copied. Nothing was changed.
    """
    rows: dict[str, int] = {}
    with (
        open_connection(file, dataset, read_only=True) as source,
        dbapi.connect(driver=_driver_path(), db_kwargs={"uri": target.address}) as connection,
        connection.cursor() as cursor,
    ):
        for table, columns in _tables(source, dataset).items():
            cursor.execute(f'create table "{dataset}"."{table}" ({_declared(table, columns)})')
            rows[table] = cursor.adbc_ingest(
                table, _reader(source, table, columns), mode="append", db_schema_name=dataset
            )
        for table, key in _keys().items():
            if table in rows:
                cursor.execute(f'create index on "{dataset}"."{table}" ({key})')
        connection.commit()
    if not rows:
        message = f"{file} holds no tables of {dataset}: there is nothing to move"
        raise WarehouseError(message)
    return rows


def _tables(source: "duckdb.DuckDBPyConnection", dataset: str) -> dict[str, Columns]:
    found = source.execute(
        "select table_name, column_name, data_type, is_nullable = 'YES' "
        "from information_schema.columns join information_schema.tables "
        "using (table_catalog, table_schema, table_name) "
        "where table_schema = ? and table_type = 'BASE TABLE' "
        "order by table_name, ordinal_position",
        [dataset],
    ).fetchall()
    tables: dict[str, Columns] = {}
    for table, *column in found:
        tables[table] = [*tables.get(table, ()), tuple(column)]
    return tables


def _declared(table: str, columns: Columns) -> str:
    return ", ".join(
        f'"{name}" {_type(table, name, kind)}{"" if may_be_null else " not null"}'
        for name, kind, may_be_null in columns
    )


def _type(table: str, name: str, kind: str) -> str:
    if kind.startswith("DECIMAL("):
        return kind.replace("DECIMAL", "numeric")
    if kind not in _TYPES:
        message = f"{table}.{name} is of type {kind}, which cannot be copied. Nothing was copied"
        raise WarehouseError(message)
    return _TYPES[kind]


def _reader(
    source: "duckdb.DuckDBPyConnection", table: str, columns: Columns
) -> "pa.RecordBatchReader":
    import pyarrow as pa

    json = {name for name, kind, _ in columns if kind == "JSON"}
    # DuckDB gives JSON a type of its own in Arrow, which ADBC does not know.
    listed = ", ".join(
        f'cast("{name}" as varchar) as "{name}"' if name in json else f'"{name}"'
        for name, *_ in columns
    )
    reader: Any = source.sql(f'select {listed} from "{table}"').to_arrow_reader(_BATCH)  # noqa: S608

    def batches() -> "Iterator[Any]":
        for batch in reader:
            yield storable(batch, json)

    return pa.RecordBatchReader.from_batches(reader.schema, batches())


def _keys() -> dict[str, str]:
    """What a merge looks rows up by, as a load makes its indexes."""
    keys = {table.name: f'"{table.primary_key}"' for table in TABLES}
    for table in TABLES:
        for child in table.children:
            keys[table.child_name(child)] = f'"{table.parent_column}"'
    return keys
