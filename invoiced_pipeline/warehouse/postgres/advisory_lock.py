"""The writer's lock of a dataset: an advisory lock, which ends with its database session.

The server releases it when the connection ends, however that ends. The dataset's table `_writer`
names the holder; the name of a run that died stays in it. A pooler that shares one connection among
several clients, as PgBouncer does in transaction mode, breaks such locks.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple

from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a small name

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseError
from invoiced_pipeline.warehouse.database import Holder, LockState, Session
from invoiced_pipeline.warehouse.postgres.session import PostgresSession, create_schema

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5

_SESSION = "invoiced_pipeline run "
"""Begins the name of a run's session; the run's id follows."""

# A machine that disappears must not keep the lock for the two hours that TCP waits.
_KEEP_ALIVE = """
    set tcp_keepalives_idle to 60;
    set tcp_keepalives_interval to 10;
    set tcp_keepalives_count to 6;
    select set_config(name, '0', false) from pg_settings where name = 'idle_session_timeout'
"""

Connect = Callable[..., Connection]


@contextmanager
def advisory_lock(
    connect: Connect, dataset: str, run_id: str, label: str, *, wait: bool = False
) -> Iterator[tuple[Session, Holder | None]]:
    """Holds the lock of `dataset`.

    Yields its session, and the last holder if that one's process died with the lock.

    Args:
        connect: Opens a connection; `name` is shown in the server's list of sessions.
        dataset: What is written.
        run_id: The run that writes.
        label: The warehouse's name in messages.
        wait: Whether to wait until another run releases it, without limit.

    Raises:
        WarehouseBusyError: Another run holds it, and this one does not wait; the text names that
            run.
        WarehouseNotWritableError: The server cannot be reached.
    """
    connection = connect(name=f"{_SESSION}{run_id}")
    session = PostgresSession(connection, dataset)
    try:
        session.run(_KEEP_ALIVE)
        _acquire(session, label, wait=wait)
        dead = _read_holder(session)
        _write_holder(session, Holder.of_this_process(run_id))
        try:
            yield session, dead
        finally:
            _clear_holder(session)
    finally:
        connection.close()


def lock_state(connect: Connect, dataset: str) -> LockState:
    """Returns who holds the lock or died with it, and which runs have a session on the server.

    A run that does not hold the lock waits for it in a session of its own, which ends with its
    process. Every user sees the names of all sessions.
    """
    connection = connect()
    session = PostgresSession(connection, dataset)
    try:
        held = session.rows(
            "select 1 from pg_locks where locktype = 'advisory' and granted and objsubid = 1 "
            "and database = (select oid from pg_database where datname = current_database()) "
            "and (classid::bigint << 32) | objid::bigint = %s",
            [_key(dataset)],
        )
        named = _read_holder(session)
        names = session.rows(
            "select application_name from pg_stat_activity "
            "where datname = current_database() and starts_with(application_name, %s)",
            [_SESSION],
        )
    finally:
        connection.close()
    connected = frozenset(name.removeprefix(_SESSION) for (name,) in names)
    if held:
        return LockState(named, connected=connected)
    # A connected run took the lock between the first two queries.
    is_dead = named is not None and named.run_id not in connected
    return LockState(dead=named if is_dead else None, connected=connected)


def _key(dataset: str) -> int:
    digest = hashlib.blake2b(f"invoiced_pipeline/{dataset}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _acquire(session: Session, label: str, *, wait: bool) -> None:
    if _try(session):
        return
    text = (
        f"another run writes this warehouse: {_read_holder(session) or 'a run'} holds "
        f"{session.dataset} in {label}"
    )
    if not wait:
        raise WarehouseBusyError(f"{text}. Nothing was done; run again when it has ended")
    _log.info("Waiting: %s", text)
    while not _try(session):
        time.sleep(_POLL_SECONDS)


def _try(session: Session) -> bool:
    return session.rows("select pg_try_advisory_lock(%s)", [_key(session.dataset)]) == [(True,)]


def _read_holder(session: Session) -> Holder | None:
    """Returns the holder that the table names, alive or dead."""
    if "_writer" not in session.tables():
        return None
    columns = "run_id, pid, since, host"
    rows = session.rows(f'select {columns} from "{session.dataset}"._writer')  # noqa: S608 - ours
    return Holder(*rows[0]) if rows else None


def _write_holder(session: Session, holder: Holder) -> None:
    table = f'"{session.dataset}"._writer'
    create_schema(session)
    with session.transaction():
        session.run(
            f"create table if not exists {table} (run_id text, pid bigint, since text, host text)"
        )
        session.run(f"delete from {table}")  # noqa: S608 - our own name
        session.run(f"insert into {table} values (%s, %s, %s, %s)", astuple(holder))  # noqa: S608


def _clear_holder(session: Session) -> None:
    """Clears the name; if the connection was lost, the server has released the lock already."""
    try:
        session.run(f'delete from "{session.dataset}"._writer')  # noqa: S608 - our own name
    except WarehouseError as error:
        _log.warning(
            "The connection that held the writer's lock of %s was lost during the run: another run "
            "may have begun meanwhile. %s",
            session.dataset,
            error,
        )
