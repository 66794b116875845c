"""The PostgreSQL database behind a `Database`."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
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
    QueryResult,
    Selection,
    Session,
)

if TYPE_CHECKING:
    from dlt import Pipeline
    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class

_FULL = ("53", "58", "25006")
"""SQLSTATEs of a server without disk, memory or connections left, of a failing disk (classes 53 and
58), and of one that only reads."""


REWRITE_PATIENCE = "30s"
"""How long a rewrite waits for those who read a table: others that come meanwhile wait behind."""


class PostgresDatabase(Database):
    """A database on a server, which several machines may write, each a dataset of its own.

    Args:
        url: The server with user, password and database; None where it is not set, which is told
            when it is needed.
        folder: Where what belongs to it on this machine lies.
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
        """`postgres.<name>` in the folder."""
        return self._folder / f"postgres.{name}"

    def exists(self) -> bool:
        """A server is taken to exist."""
        return True

    def check_writable(self) -> None:
        """Connects, and asks for the rights that a load needs."""
        with self.session("public", read_only=True) as session:
            ((may_create, only_reads, encoding, user, database),) = session.rows(
                """
                select has_database_privilege(current_database(), 'create') or exists (
                        select 1 from pg_namespace where nspname not like 'pg\\_%'
                            and nspname not in ('public', 'information_schema')
                            and has_schema_privilege(oid, 'create')
                    ),
                    pg_is_in_recovery(),
                    current_setting('server_encoding'),
                    current_user,
                    current_database()
                """
            )
        if only_reads:
            message = f"Cannot write {self.label}: it is a standby, which only reads"
        elif encoding != "UTF8":
            message = (
                f"Cannot write {self.label}: it is encoded in {encoding}, which does not hold "
                "every text. Use a database made with: create database ... encoding 'UTF8'"
            )
        elif not may_create:
            message = (
                f"Cannot write {self.label}: {user} may not make schemas. Its owner allows it "
                f"with: grant create on database {database} to {user}"
            )
        else:
            return
        raise WarehouseNotWritableError(message)

    @contextmanager
    def session(self, dataset: str, *, read_only: bool = False) -> Iterator[Session]:
        """A connection of its own; readers never wait for those who write."""
        from invoiced_pipeline.warehouse.postgres.session import open_session

        with open_session(self._connect(), dataset, read_only=read_only) as session:
            yield session

    def select(self, dataset: str, sql: str) -> Selection:
        """The rows of a query, which runs in a transaction that only reads."""
        from invoiced_pipeline.warehouse.postgres.session import open_session
        from invoiced_pipeline.warehouse.postgres.user_query import select

        connection = self._connect()
        with open_session(connection, dataset, read_only=True):
            return select(connection, self.address, dataset, sql)

    @contextmanager
    def query(self, dataset: str, sql: str) -> Iterator[QueryResult]:
        """The rows of one statement, which runs in a transaction that only reads."""
        from invoiced_pipeline.warehouse.postgres.session import open_session
        from invoiced_pipeline.warehouse.postgres.user_query import run_query

        connection = self._connect()
        with open_session(connection, dataset, read_only=True):
            yield run_query(connection, self.address, dataset, sql)

    def pipeline(self, dataset: str) -> "Pipeline":
        """The pipeline; its working folder is `postgres.dlt`."""
        import dlt

        from invoiced_pipeline.warehouse.dlt_options import set_dlt_options
        from invoiced_pipeline.warehouse.postgres.destination import ExactPostgres, PostgresPipeline

        set_dlt_options()
        return dlt.pipeline(
            pipeline_name=f"invoiced_{dataset}",
            pipelines_dir=str(self.beside("dlt").resolve()),
            destination=ExactPostgres(self.address, destination_name="postgres"),
            dataset_name=dataset,
            _impl_cls=PostgresPipeline,
        )

    def rewrite(self, dataset: str) -> None:
        """Has the server write every table anew; its own log and backups are its owner's.

        It is the one thing for which readers wait, and which waits for them, though not for ever.
        """
        tables = (
            "select table_name from information_schema.tables "
            "where table_schema = %s and table_type = 'BASE TABLE'"
        )
        with self.session(dataset) as session:
            session.run(f"set lock_timeout to '{REWRITE_PATIENCE}'")
            for (name,) in session.rows(tables, [dataset]):
                try:
                    session.run(f'vacuum full "{name}"')
                except WarehouseError as error:
                    message = (
                        f"{dataset}.{name} could not be written anew, so that old bytes of its "
                        f"rows stay: {error}. End the transactions that look at it; the next run "
                        "tries again"
                    )
                    raise WarehouseError(message) from error

    def writer_lock(
        self, dataset: str, run_id: str, *, wait: bool = False
    ) -> AbstractContextManager[Holder | None]:
        """An advisory lock on the server, one for each dataset."""
        from invoiced_pipeline.warehouse.postgres.advisory_lock import advisory_lock

        return advisory_lock(self._connect, dataset, run_id, self.label, wait=wait)

    def current_holder(self, dataset: str) -> Holder | None:
        """Who writes the dataset, as the server says."""
        from invoiced_pipeline.warehouse.postgres.advisory_lock import living_holder

        return living_holder(self._connect, dataset)

    def error_for(self, error: BaseException) -> type[WarehouseError]:
        """PostgreSQL tells by codes."""
        code = str(getattr(error, "pgcode", None) or getattr(error, "sqlstate", None) or "")
        if isinstance(error, OSError) or code.startswith(_FULL):
            return WarehouseNotWritableError
        return WarehouseError

    def _connect(self, *, name: str = "invoiced_pipeline") -> "Connection":
        from invoiced_pipeline.warehouse.postgres.session import connect

        return connect(self.address, self.label, name=name)

    @property
    def address(self) -> str:
        """The server with user and password: a secret, for drivers alone.

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
