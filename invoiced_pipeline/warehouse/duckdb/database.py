"""The DuckDB file behind a `Database`."""

from contextlib import AbstractContextManager
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
    LockState,
    QueryResult,
    Selection,
    Session,
    StorageFormat,
)
from invoiced_pipeline.warehouse.duckdb.file_lock import file_lock, living_holder

if TYPE_CHECKING:
    from dlt import Pipeline

    from invoiced_pipeline.warehouse.duckdb.file import DuckDbFile

_UNWRITABLE = ("IO Error", "Could not write file", "No space left on device", "File too large")
"""Texts by which DuckDB says that disk or quota is full; a failing commit is no `IO Error`."""


class DuckDbDatabase(Database):
    """A DuckDB file: one process at a time may write it, and meanwhile no other may read it.

    Args:
        file: The file; it need not exist.
        storage_version: The format in which a new file is created.
    """

    def __init__(self, file: Path, storage_version: StorageVersion = STORAGE_VERSION) -> None:
        self._file = file
        self._storage_version = storage_version

    @property
    def _on_disk(self) -> "DuckDbFile":
        # DuckDB takes 0.2 s to import: definitions load without it.
        from invoiced_pipeline.warehouse.duckdb.file import DuckDbFile

        return DuckDbFile(self._file, self._storage_version)

    @property
    def kind(self) -> str:
        """`duckdb`."""
        return "duckdb"

    @property
    def label(self) -> str:
        """The file's path."""
        return str(self._file)

    def beside(self, name: str) -> Path:
        """Returns `<file>.<name>`."""
        return self._file.with_name(f"{self._file.name}.{name}")

    def exists(self) -> bool:
        """Returns whether there is a file."""
        return self._file.exists()

    def check_writable(self) -> None:
        """Opens and closes an existing file; tries the folder if there is no file."""
        self._on_disk.check_writable()

    def storage_format(self) -> StorageFormat:
        """Returns the format of the file, or of the one that would be created."""
        return self._on_disk.storage_format()

    def session(self, dataset: str, *, read_only: bool = False) -> AbstractContextManager[Session]:
        """Opens a connection; while one that may write is open, no other program can open any."""
        return self._on_disk.session(dataset, read_only=read_only)

    def select(self, dataset: str, sql: str) -> Selection:
        """Returns the rows of a query; a query over files alone needs no warehouse yet."""
        return self._on_disk.select(dataset, sql)

    def query(self, dataset: str, sql: str) -> AbstractContextManager[QueryResult]:
        """Runs what a person typed; the file is open only while the rows are read."""
        return self._on_disk.query(dataset, sql)

    def rewrite(self, dataset: str) -> None:  # noqa: ARG002 - the file as a whole
        """Replaces the file by a copy, which needs as much disk space again for a while."""
        self._on_disk.rewrite()

    def pipeline(self, dataset: str) -> "Pipeline":
        """Returns the pipeline; its working folder is `<file>.dlt`."""
        # dlt takes a second to import: definitions, and commands that only read, do without it.
        from invoiced_pipeline.warehouse.duckdb.pipeline import duckdb_pipeline

        return duckdb_pipeline(
            self, self._file, dataset, self.beside("dlt"), storage_version=self._storage_version
        )

    def writer_lock(
        self,
        dataset: str,  # noqa: ARG002 - a file has one lock
        run_id: str,
        *,
        wait: bool = False,
    ) -> AbstractContextManager[Holder | None]:
        """Holds the lock on `<file>.lock`, one for all datasets."""
        return file_lock(self.beside("lock"), run_id, self.label, wait=wait)

    def lock_state(self, dataset: str) -> LockState:  # noqa: ARG002 - a file has one lock
        """Returns who writes the file, by the lock's file; does not open the warehouse."""
        return LockState(living_holder(self.beside("lock")))

    def error_for(self, error: BaseException) -> type[WarehouseError]:
        """Recognises DuckDB's errors by their texts."""
        text = f"{type(error).__name__}: {error}"
        if "Could not set lock" in text:
            return WarehouseBusyError
        if isinstance(error, OSError) or any(sign in text for sign in _UNWRITABLE):
            return WarehouseNotWritableError
        return WarehouseError
