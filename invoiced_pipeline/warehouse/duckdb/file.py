"""Everything that a `DuckDbDatabase` does with its file through DuckDB."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseNotWritableError
from invoiced_pipeline.warehouse.database import QueryResult, Selection, Session, StorageFormat
from invoiced_pipeline.warehouse.duckdb.connection import (
    busy_message,
    connect,
    is_taken,
    problem_message,
)
from invoiced_pipeline.warehouse.duckdb.file_rewrite import rewrite
from invoiced_pipeline.warehouse.duckdb.session import open_connection, open_file, open_session
from invoiced_pipeline.warehouse.duckdb.source_query import in_memory, select
from invoiced_pipeline.warehouse.duckdb.storage_format import format_named, format_of
from invoiced_pipeline.warehouse.duckdb.typed_query import run_query


class DuckDbFile:
    """A DuckDB file; methods and errors are those of `Database`.

    Args:
        path: The file; it need not exist.
        storage_version: The format in which a new file is created.
    """

    def __init__(self, path: Path, storage_version: str) -> None:
        self._path = path
        self._storage_version = storage_version

    def check_writable(self) -> None:
        """Opens and closes an existing file; tries the folder if there is no file."""
        try:
            self._try_to_write()
        except (duckdb.Error, OSError) as error:
            if is_taken(error):
                raise WarehouseBusyError(busy_message(self._path, error)) from error
            problem = f"Cannot write {self._path}: {error}. Check path, permissions and disk space"
            message = problem_message(self._path, error, problem)
            raise WarehouseNotWritableError(message) from error

    def _try_to_write(self) -> None:
        if not self._path.exists():
            folder = next(place for place in self._path.absolute().parents if place.exists())
            with tempfile.TemporaryFile(dir=folder):
                return
        connection = connect(self._path)
        try:
            # DuckDB opens a read-only file without an error; only a statement that writes fails.
            connection.execute("create or replace temp table probe as select 1")
            connection.execute("begin; create schema if not exists _probe; rollback")
        finally:
            connection.close()

    def storage_format(self) -> StorageFormat:
        """Returns the format of the file, or of the one that would be created."""
        if not self._path.exists():
            return format_named(self._storage_version)
        with open_file(self._path, read_only=True) as connection:
            return format_of(connection)

    @contextmanager
    def session(self, dataset: str, *, read_only: bool) -> Iterator[Session]:
        """Opens a connection; while one that may write is open, no other program can open any."""
        with open_session(
            self._path, dataset, read_only=read_only, storage_version=self._storage_version
        ) as session:
            yield session

    def select(self, dataset: str, sql: str) -> Selection:
        """Returns the rows of a query; a query over files alone needs no warehouse yet."""
        if not self._path.exists():
            with in_memory() as connection:
                return select(connection, sql)
        with open_connection(self._path, dataset, read_only=True) as connection:
            return select(connection, sql)

    @contextmanager
    def query(self, dataset: str, sql: str) -> Iterator[QueryResult]:
        """Runs what a person typed; the file is open only while the rows are read."""
        with open_connection(self._path, dataset, read_only=True) as connection:
            yield run_query(connection, sql)

    def rewrite(self) -> None:
        """Replaces the file by a copy, which needs as much disk space again for a while."""
        rewrite(self._path)
