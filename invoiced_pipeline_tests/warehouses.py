"""Where tests load into: a DuckDB file by default, a PostgreSQL server with `--warehouse postgres`.

Every test that touches a warehouse gets it from here, or says by the mark `duckdb` why it is about
a file alone.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal
from unittest import mock
from urllib.parse import urlsplit

import duckdb
from pydantic import SecretStr

from invoiced_pipeline.settings import load_settings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.duckdb import connection, file_rewrite
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase
from invoiced_pipeline_tests.postgres_server import address, new_database, postgres_server

Kind = Literal["duckdb", "postgres"]


class Server:
    """One PostgreSQL server for all tests of a process, started when the first of them asks."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._url: str | None = None

    @property
    def url(self) -> str:
        if self._url is None:
            self._url = self._open.enter_context(postgres_server())
        return self._url

    def lasting_database(self, template: str | None = None) -> str:
        """The address of a database that is dropped at the end: empty, or a copy."""
        return self._open.enter_context(new_database(self.url, template=template))

    def stop(self) -> None:
        self._open.close()
        self._url = None


class Choice:
    """What `--warehouse` says; None where it is not given."""

    kind: Kind | None = None


SERVER = Server()
CHOICE = Choice()


@contextmanager
def new_warehouse(folder: Path, kind: Kind | None = None) -> Iterator[Database]:
    """An empty warehouse; its file, and what belongs to it on this machine, is in `folder`."""
    if (kind or CHOICE.kind) != "postgres":
        yield DuckDbDatabase(folder / "invoiced.duckdb")
        return
    with new_database(SERVER.url) as url:
        yield PostgresDatabase(SecretStr(url), folder)


class OpenFiles:
    """DuckDB files that stay open between the steps of a test.

    Opening files takes a fifth of the time of a test with many loads or pushes. While a file is
    open, no other process can open it, and its newest rows may be in the write-ahead log.
    """

    def __init__(self) -> None:
        self._open: dict[str, duckdb.DuckDBPyConnection] = {}
        self._patches = ExitStack()

    def keep(self, database: Database) -> None:
        """Keeps the file of a warehouse open, once there is one, until `close`."""
        if not isinstance(database, DuckDbDatabase) or not database.exists():
            return
        if not self._open:
            self._patch()
        if database.label not in self._open:
            self._open[database.label] = duckdb.connect(database.label)

    def close(self) -> None:
        """Closes all files."""
        self._patches.close()
        while self._open:
            self._open.popitem()[1].close()

    def _patch(self) -> None:
        plain = connection._open

        def open_file(file: str, *, read_only: bool, storage_version: str) -> Any:
            # DuckDB refuses a process that reads a file only and also writes it.
            read_only = read_only and file not in self._open
            return plain(file, read_only=read_only, storage_version=storage_version)

        def replace(file: Path, storage_version: str | None) -> None:
            self.close()
            file_rewrite._replace(file, storage_version)

        self._patches.enter_context(mock.patch.object(connection, "_open", open_file))
        self._patches.enter_context(mock.patch.object(file_rewrite, "_replace", replace))


OPEN_FILES = OpenFiles()


def lasting_warehouse(folder: Path) -> Database:
    """The same, to the end of the process's tests."""
    if CHOICE.kind == "postgres":
        return PostgresDatabase(SecretStr(SERVER.lasting_database()), folder)
    return DuckDbDatabase(folder / "invoiced.duckdb")


def copied(database: Database, folder: Path) -> Database:
    """Another warehouse, to the end of the process's tests, that holds what this one does now."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(database, PostgresDatabase):
        name = urlsplit(address(database)).path.strip("/")
        return PostgresDatabase(SecretStr(SERVER.lasting_database(name)), folder)
    OPEN_FILES.close()  # all rows are in the file then
    return DuckDbDatabase(Path(shutil.copy(database.label, folder / "invoiced.duckdb")))


@contextmanager
def warehouse_variables() -> Iterator[dict[str, str]]:
    """The variables by which the project finds an empty warehouse."""
    if CHOICE.kind != "postgres":
        yield {}
        return
    with new_database(SERVER.url) as url:
        yield {"INVOICED_DESTINATION": "postgres", "INVOICED_POSTGRES_URL": url}


def opened(environment: dict[str, str], folder: Path) -> Database:
    """The warehouse that the settings of a folder name, seen from anywhere."""
    settings = load_settings(environment, folder).warehouse
    return open_database(settings.model_copy(update={"path": folder / settings.path}))
