"""Dagster's event log, written in batches and through connections that stay open.

Dagster opens a SQLite file, commits and closes it for every event: two waits for the disk and a new
engine each time. The 2,700 events of a first sync over seven years would take longer than its load.
If its records are on a server, it opens a connection for every statement: hundreds in a first sync,
which cost the server more than the load itself.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, create_engine

_BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE"
_MOST_EVENTS = 500
_BUSY_SECONDS = 60

_OLDEST_SECONDS = 10
"""How long a connection to a server is used. Dagster does not look whether it is still open, and a
firewall or a restart of the server may have cut one that is older."""
_ANY_NUMBER = -1
_NO_TIMEOUT = 0


def write_events_quickly(instance: dg.DagsterInstance) -> None:
    """Makes this process write events in batches, through connections that stay open.

    For the process of a run, which writes many events. A project whose `dagster.yaml` names
    Dagster's class for SQLite gets this one here. With a server, connections stay open in the way
    of Dagster's own web server.
    """
    storage = instance.event_log_storage
    if type(storage) is SqliteEventLogStorage:
        storage = BatchedEventLog(event_log_folder(storage))
        storage.register_instance(instance)
        instance._event_storage = storage
    write_in_batches()
    if isinstance(storage, BatchedEventLog):
        storage.keep_open()
    instance.optimize_for_webserver(_NO_TIMEOUT, _OLDEST_SECONDS, _ANY_NUMBER)


def write_in_batches() -> None:
    """Makes Dagster hand over events in batches in this process, unless the variable is set."""
    os.environ.setdefault(_BATCH_SIZE, str(_MOST_EVENTS))


def event_log_folder(storage: SqliteEventLogStorage) -> str:
    """Returns the folder of the files."""
    return str(Path(storage.path_for_shard("index")).parent)


class BatchedEventLog(SqliteEventLogStorage):
    """The same files, with one transaction for a batch.

    Args:
        base_dir: The folder of the files.
    """

    def __init__(self, base_dir: str) -> None:
        super().__init__(base_dir)
        self._lock = threading.RLock()
        self._keeps_open = False
        self._engines: dict[str, Engine] = {}
        self._begun: dict[str, Connection] = {}
        self._batch: ExitStack | None = None

    def keep_open(self) -> None:
        """Keeps every file open from now on: for a process that writes the events of one run."""
        self._keeps_open = True

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Stores events in one transaction of each file."""
        with self._lock:
            try:
                with ExitStack() as batch:
                    self._batch = batch
                    batch.callback(setattr, self, "_batch", None)
                    for each in events:
                        self.store_event(each)
            finally:
                if not self._keeps_open:
                    self._close_files()

    def dispose(self) -> None:
        """Closes the files."""
        super().dispose()
        self._close_files()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._lock, ExitStack() as alone:
            if self._batch is None and not self._keeps_open:
                yield alone.enter_context(super()._connect(shard))
            else:
                yield self._begun.get(shard) or self._begin(shard, self._batch or alone)

    def _close_files(self) -> None:
        while self._engines:
            self._engines.popitem()[1].dispose()

    def _begin(self, shard: str, transaction: ExitStack) -> Connection:
        """Begins a transaction, which ends with `transaction`."""
        if shard not in self._engines:
            self._engines[shard] = self._engine(shard)
        connection = transaction.enter_context(self._engines[shard].begin())
        self._begun[shard] = connection
        transaction.callback(self._begun.pop, shard)
        return connection

    def _engine(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", _commit_without_waiting)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        return engine


def _commit_without_waiting(connection: SqliteConnection, _: object) -> None:
    # A power failure may cost the last events, but never the file.
    connection.execute("pragma synchronous = normal")
