"""Another tool's replica, opened for reading: a schema beside the dataset, a file or a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.warehouse.database import Database, Session
from invoiced_pipeline.warehouse.duckdb.parquet_folder import parquet_session


@contextmanager
def open_schema(database: Database, schema: str) -> Iterator[Session]:
    """Opens a session over a schema that holds tables.

    Raises:
        ConfigurationError: There is no such file or schema; the message lists the schemas.
        WarehouseError: The database cannot be opened.
    """
    if not database.exists():
        message = f"There is no file {database.label}"
        raise ConfigurationError(message)
    with database.session(schema, read_only=True) as session:
        if not session.relations([schema]):
            schemas = ", ".join(_schemas(session)) or "none"
            message = (
                f"{database.label} has no schema {schema!r} with tables. Schemas with tables: "
                f"{schemas}"
            )
            raise ConfigurationError(message)
        yield session


@contextmanager
def open_folder(folder: Path, schema: str | None) -> Iterator[Session]:
    """Opens a folder of Parquet files, or its subfolder for the schema if there is one.

    Raises:
        ConfigurationError: There is no such folder.
        WarehouseError: It has no Parquet files, or one cannot be read.
    """
    inner = folder / schema if schema else folder
    chosen = inner if inner.is_dir() else folder
    if not chosen.is_dir():
        message = f"There is no folder {folder}"
        raise ConfigurationError(message)
    with parquet_session(chosen) as session:
        yield session


def _schemas(session: Session) -> list[str]:
    """Returns the schemas with tables, without the database's own."""
    rows = session.rows("select distinct table_schema from information_schema.tables")
    return sorted({schema for (schema,) in rows} - {"information_schema", "pg_catalog"})
