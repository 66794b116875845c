"""The DuckDB file behind a `Database`."""

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from invoiced_pipeline.exceptions import (
    WarehouseBusyError,
    WarehouseError,
    WarehouseNotWritableError,
)
from invoiced_pipeline.settings import STORAGE_VERSION, StorageVersion
from invoiced_pipeline.warehouse.database import (
    Database,
    Holder,
    QueryResult,
    Selection,
    Session,
    StorageFormat,
)
from invoiced_pipeline.warehouse.duckdb.file_lock import file_lock, living_holder

if TYPE_CHECKING:
    from dlt import Pipeline

_UNWRITABLE = ("IO Error", "Could not write file", "No space left on device", "File too large")
"""How DuckDB says that disk or quota is full; a commit that fails so is no IO Error to it."""


class DuckDbDatabase(Database):
    """A file that one process at a time may write, and then none beside it read.

    Args:
        file: The file; it need not exist.
        storage_version: The format in which it is made then.
    """

    def __init__(self, file: Path, storage_version: StorageVersion = STORAGE_VERSION) -> None:
        self._file = file
        self._storage_version = storage_version

    @property
    def kind(self) -> str:
        """`duckdb`."""
        return "duckdb"

    @property
    def label(self) -> str:
        """The file's path."""
        return str(self._file)

    def beside(self, name: str) -> Path:
        """`<file>.<name>`."""
        return self._file.with_name(f"{self._file.name}.{name}")

    def exists(self) -> bool:
        """Whether there is a file."""
        return self._file.exists()

    def check_writable(self) -> None:
        """An existing file is opened and closed again; where there is none, its folder is tried."""
        import duckdb

        from invoiced_pipeline.warehouse.duckdb.connection import (
            busy_message,
            connect,
            is_taken,
            problem_message,
        )

        file = self._file
        try:
            if not file.exists():
                folder = next(place for place in file.absolute().parents if place.exists())
                with tempfile.TemporaryFile(dir=folder):
                    return
            connection = connect(file)
            try:
                # A read-only file opens without complaint; only a statement that writes tells.
                connection.execute("create or replace temp table probe as select 1")
                connection.execute("begin; create schema if not exists _probe; rollback")
            finally:
                connection.close()
        except (duckdb.Error, OSError) as error:
            if is_taken(error):
                raise WarehouseBusyError(busy_message(file, error)) from error
            problem = f"Cannot write {file}: {error}. Check path, permissions and disk space"
            raise WarehouseNotWritableError(problem_message(file, error, problem)) from error

    def storage_format(self) -> StorageFormat:
        """The format of the file, or of the one that would be made."""
        from invoiced_pipeline.warehouse.duckdb.session import open_file
        from invoiced_pipeline.warehouse.duckdb.storage_format import format_named, format_of

        if not self._file.exists():
            return format_named(self._storage_version)
        with open_file(self._file, read_only=True) as connection:
            return format_of(connection)

    @contextmanager
    def session(self, dataset: str, *, read_only: bool = False) -> Iterator[Session]:
        """A connection to the file; while one that may write is open, nobody else has any."""
        from invoiced_pipeline.warehouse.duckdb.session import open_session

        with open_session(
            self._file, dataset, read_only=read_only, storage_version=self._storage_version
        ) as session:
            yield session

    def select(self, dataset: str, sql: str) -> Selection:
        """The rows of a query; one that reads files alone needs no warehouse yet."""
        from invoiced_pipeline.warehouse.duckdb.session import open_connection
        from invoiced_pipeline.warehouse.duckdb.source_query import in_memory, select

        if not self.exists():
            with in_memory() as connection:
                return select(connection, sql)
        with open_connection(self._file, dataset, read_only=True) as connection:
            return select(connection, sql)

    @contextmanager
    def query(self, dataset: str, sql: str) -> Iterator[QueryResult]:
        """The rows of what a person typed; the file is open no longer than they are read."""
        from invoiced_pipeline.warehouse.duckdb.session import open_connection
        from invoiced_pipeline.warehouse.duckdb.typed_query import run_query

        with open_connection(self._file, dataset, read_only=True) as connection:
            yield run_query(connection, sql)

    def rewrite(self, dataset: str) -> None:  # noqa: ARG002 - the file as a whole
        """Writes the file anew beside itself, which takes as much disk again for a while."""
        from invoiced_pipeline.warehouse.duckdb.file_rewrite import rewrite

        rewrite(self._file)

    def pipeline(self, dataset: str) -> "Pipeline":
        """The pipeline; its working folder is `<file>.dlt`."""
        import dlt

        from invoiced_pipeline.warehouse.dlt_options import set_dlt_options
        from invoiced_pipeline.warehouse.duckdb.destination import QualifiedDuckDb
        from invoiced_pipeline.warehouse.duckdb.pipeline import DuckDbPipeline

        set_dlt_options()
        pipeline = dlt.pipeline(
            pipeline_name=f"invoiced_{dataset}",
            pipelines_dir=str(self.beside("dlt").resolve()),
            destination=QualifiedDuckDb(str(self._file), destination_name="duckdb"),
            dataset_name=dataset,
            _impl_cls=DuckDbPipeline,
        )
        pipeline.storage_version = self._storage_version
        return pipeline

    def writer_lock(
        self,
        dataset: str,  # noqa: ARG002 - DuckDB's file is written as a whole
        run_id: str,
        *,
        wait: bool = False,
    ) -> AbstractContextManager[Holder | None]:
        """A lock on the file `<file>.lock`, for all datasets together."""
        return file_lock(self.beside("lock"), run_id, self.label, wait=wait)

    def current_holder(self, dataset: str) -> Holder | None:  # noqa: ARG002 - the file has one
        """Who writes the file, as the lock's file says; the warehouse is not touched."""
        return living_holder(self.beside("lock"))

    def error_for(self, error: BaseException) -> type[WarehouseError]:
        """DuckDB tells by texts."""
        text = f"{type(error).__name__}: {error}"
        if "Could not set lock" in text:
            return WarehouseBusyError
        if isinstance(error, OSError) or any(sign in text for sign in _UNWRITABLE):
            return WarehouseNotWritableError
        return WarehouseError
