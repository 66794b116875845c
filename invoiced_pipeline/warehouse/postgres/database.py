"""The PostgreSQL database behind a `Database`."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from invoiced_pipeline.exceptions import (
    ConfigurationError,
    WarehouseError,
    WarehouseNotWritableError,
)
from invoiced_pipeline.warehouse.database import (
    Database,
    Holder,
    LockState,
    QueryResult,
    Selection,
    Session,
)

if TYPE_CHECKING:
    from dlt import Pipeline

    from invoiced_pipeline.warehouse.postgres.server import PostgresServer

_FULL = ("53", "58", "25006")
"""SQLSTATEs of a server that is out of disk space, memory or connections, or has a failing disk
(classes 53 and 58), and of one that is read-only."""


class PostgresDatabase(Database):
    """A database on a server, which several machines may write, each its own dataset.

    Args:
        url: The server with user, password and database; if None, `address` raises.
        folder: The local folder of files that belong to it.
    """

    def __init__(self, url: SecretStr | None, folder: Path) -> None:
        self._url = url
        self._folder = folder

    @property
    def kind(self) -> str:
        """`postgres`."""
        return "postgres"

    @property
    def label(self) -> str:
        """Host and database."""
        if self._url is None:
            return "PostgreSQL"
        parts = urlsplit(self._url.get_secret_value())
        (host,) = parse_qs(parts.query).get("host", [parts.hostname])[:1]
        port = f":{parts.port}" if parts.port else ""
        return f"PostgreSQL {host}{port}{parts.path}"

    def beside(self, name: str) -> Path:
        """Returns `postgres.<name>` in the folder."""
        return self._folder / f"postgres.{name}"

    def exists(self) -> bool:
        """Returns True, without asking the server."""
        return True

    def check_writable(self) -> None:
        """Connects, and asks for the rights that a load needs."""
        self._server.check_writable()

    def session(self, dataset: str, *, read_only: bool = False) -> AbstractContextManager[Session]:
        """Opens a connection; readers never wait for writers."""
        return self._server.session(dataset, read_only=read_only)

    def select(self, dataset: str, sql: str) -> Selection:
        """Returns the rows of a query, which runs in a read-only transaction."""
        return self._server.select(dataset, sql)

    def query(self, dataset: str, sql: str) -> AbstractContextManager[QueryResult]:
        """Runs one statement that a person typed, in a read-only transaction."""
        return self._server.query(dataset, sql)

    def rewrite(self, dataset: str) -> None:
        """Has the server rewrite every table; its write-ahead log and backups are its owner's."""
        self._server.rewrite(dataset)

    def pipeline(self, dataset: str) -> "Pipeline":
        """Returns the pipeline; its working folder is `postgres.dlt`."""
        # dlt takes a second to import: definitions, and commands that only read, do without it.
        from invoiced_pipeline.warehouse.postgres.pipeline import postgres_pipeline

        return postgres_pipeline(self, self.address, dataset, self.beside("dlt"))

    def writer_lock(
        self, dataset: str, run_id: str, *, wait: bool = False
    ) -> AbstractContextManager[Holder | None]:
        """Takes an advisory lock on the server, one for each dataset."""
        return self._server.writer_lock(dataset, run_id, wait=wait)

    def check_lock(self, dataset: str) -> None:
        """Asks the lock's connection whether it is alive, if this process holds the lock."""
        self._server.check_lock(dataset)

    def lock_state(self, dataset: str) -> LockState:
        """Returns who writes the dataset and which runs are connected, as the server says."""
        return self._server.lock_state(dataset)

    def error_for(self, error: BaseException) -> type[WarehouseError]:
        """Recognises PostgreSQL's errors by their SQLSTATE."""
        code = str(getattr(error, "pgcode", None) or getattr(error, "sqlstate", None) or "")
        if isinstance(error, OSError) or code.startswith(_FULL):
            return WarehouseNotWritableError
        return WarehouseError

    @property
    def _server(self) -> "PostgresServer":
        # psycopg2 takes 0.1 s to import: definitions load without it.
        from invoiced_pipeline.warehouse.postgres.server import PostgresServer

        return PostgresServer(self.address, self.label)

    @property
    def address(self) -> str:
        """The server with user and password: a secret, for drivers only.

        Raises:
            ConfigurationError: It is not set.
        """
        if self._url is None:
            message = (
                "The destination is postgres, but no server is set: set INVOICED_POSTGRES_URL to "
                "postgresql://user:password@host:5432/database, in the environment or in .env, or "
                "the fields of [warehouse.credentials] in the file"
            )
            raise ConfigurationError(message)
        return self._url.get_secret_value()
