"""Everything that a `PostgresDatabase` does on its server through psycopg2."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a small name

from invoiced_pipeline.exceptions import WarehouseError, WarehouseNotWritableError
from invoiced_pipeline.warehouse.database import (
    Holder,
    LockState,
    QueryResult,
    Selection,
    Session,
)
from invoiced_pipeline.warehouse.postgres.advisory_lock import advisory_lock, lock_state
from invoiced_pipeline.warehouse.postgres.session import connect, open_session
from invoiced_pipeline.warehouse.postgres.user_query import run_query, select

REWRITE_LOCK_TIMEOUT = "30s"
"""How long a rewrite waits for readers of a table: others that come meanwhile wait behind it."""

_BASE_TABLES = (
    "select table_name from information_schema.tables "
    "where table_schema = %s and table_type = 'BASE TABLE'"
)

_held_locks: dict[tuple[str, str], Session] = {}
"""The sessions of the locks that this process holds, by address and dataset."""


class PostgresServer:
    """A database on a server; methods and errors are those of `Database`.

    Args:
        address: The server with user and password: a secret.
        label: What messages call it.
    """

    def __init__(self, address: str, label: str) -> None:
        self._address = address
        self._label = label

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
            message = f"Cannot write {self._label}: it is a standby, which only reads"
        elif encoding != "UTF8":
            message = (
                f"Cannot write {self._label}: its encoding is {encoding}, which cannot hold every "
                "text. Use a database made with: create database ... encoding 'UTF8'"
            )
        elif not may_create:
            message = (
                f"Cannot write {self._label}: {user} may not create schemas. Its owner allows it "
                f"with: grant create on database {database} to {user}"
            )
        else:
            return
        raise WarehouseNotWritableError(message)

    @contextmanager
    def session(self, dataset: str, *, read_only: bool) -> Iterator[Session]:
        """Opens a connection; readers never wait for writers."""
        with open_session(self._connect(), dataset, read_only=read_only) as session:
            yield session

    def select(self, dataset: str, sql: str) -> Selection:
        """Returns the rows of a query, which runs in a read-only transaction."""
        connection = self._connect()
        with open_session(connection, dataset, read_only=True):
            return select(connection, self._address, dataset, sql)

    @contextmanager
    def query(self, dataset: str, sql: str) -> Iterator[QueryResult]:
        """Runs one statement that a person typed, in a read-only transaction."""
        connection = self._connect()
        with open_session(connection, dataset, read_only=True):
            yield run_query(connection, self._address, dataset, sql)

    def rewrite(self, dataset: str) -> None:
        """Has the server rewrite every table; its write-ahead log and backups are its owner's.

        Readers wait for this alone, and it waits for them, but not forever.
        """
        with self.session(dataset, read_only=False) as session:
            session.run(f"set lock_timeout to '{REWRITE_LOCK_TIMEOUT}'")
            for (name,) in session.rows(_BASE_TABLES, [dataset]):
                try:
                    session.run(f'vacuum full "{name}"')
                except WarehouseError as error:
                    message = (
                        f"{dataset}.{name} could not be rewritten, so old bytes of its rows are "
                        f"still on disk: {error}. End the transactions that read it; the next run "
                        "tries again"
                    )
                    raise WarehouseError(message) from error

    @contextmanager
    def writer_lock(self, dataset: str, run_id: str, *, wait: bool) -> Iterator[Holder | None]:
        """Takes an advisory lock on the server, one for each dataset."""
        with advisory_lock(self._connect, dataset, run_id, self._label, wait=wait) as (lock, dead):
            _held_locks[self._address, dataset] = lock
            try:
                yield dead
            finally:
                del _held_locks[self._address, dataset]

    def check_lock(self, dataset: str) -> None:
        """Asks the lock's connection whether it is alive, if this process holds the lock."""
        lock = _held_locks.get((self._address, dataset))
        try:
            if lock is not None:
                lock.run("select")
        except WarehouseError as error:
            message = (
                f"{self._label} closed the connection that held the writer's lock of {dataset}, so "
                "another run may be writing. This one stops before it loads, and the next run "
                f"repeats its work. {error}"
            )
            raise WarehouseError(message) from error

    def lock_state(self, dataset: str) -> LockState:
        """Returns who writes the dataset and which runs are connected, as the server says."""
        return lock_state(self._connect, dataset)

    def _connect(self, *, name: str = "invoiced_pipeline") -> Connection:
        return connect(self._address, self._label, name=name)
