"""The writer's lock of a dataset: an advisory lock, which dies with its database session.

The server lets go of it when the connection ends, however that ends. Who holds it stands in the
table `_writer` of the dataset; what is left there is the name of a run that did not live to clear
it. A pooler that hands one connection to many, as PgBouncer does by transaction, breaks such locks.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple

from psycopg2.extensions import connection as Connection  # noqa: N812 - a class, named like none

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseError
from invoiced_pipeline.warehouse.database import Holder, Session
from invoiced_pipeline.warehouse.postgres.session import PostgresSession, make_schema

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5

# A machine that vanishes must not keep the lock for the two hours that TCP would wait.
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
) -> Iterator[Holder | None]:
    """Holds the lock of `dataset`; yields the holder that died holding it, if one did.

    Args:
        connect: Opens a connection, by the name that the server's list of sessions shows.
        dataset: What is written.
        run_id: The run that writes.
        label: What messages call the warehouse.
        wait: Whether to wait for another run that holds it, however long.

    Raises:
        WarehouseBusyError: Another run holds it, and this one does not wait; the text says which.
        WarehouseNotWritableError: There is no connection to be had.
    """
    connection = connect(name=f"invoiced_pipeline run {run_id}")
    session = PostgresSession(connection, dataset)
    try:
        session.run(_KEEP_ALIVE)
        _acquire(session, label, wait=wait)
        dead = _named(session)
        _name(session, Holder.of_this_process(run_id))
        try:
            yield dead
        finally:
            _clear(session)
    finally:
        connection.close()


def living_holder(connect: Connect, dataset: str) -> Holder | None:
    """Who holds the lock at this moment, as the server's list of locks says; None when nobody."""
    connection = connect()
    session = PostgresSession(connection, dataset)
    try:
        held = session.rows(
            "select 1 from pg_locks where locktype = 'advisory' and granted and objsubid = 1 "
            "and database = (select oid from pg_database where datname = current_database()) "
            "and (classid::bigint << 32) | objid::bigint = %s",
            [_key(dataset)],
        )
        return _named(session) if held else None
    finally:
        connection.close()


def _key(dataset: str) -> int:
    digest = hashlib.blake2b(f"invoiced_pipeline/{dataset}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _acquire(session: Session, label: str, *, wait: bool) -> None:
    if _try(session):
        return
    what = (
        f"another run writes this warehouse: {_named(session) or 'a run'} holds "
        f"{session.dataset} in {label}"
    )
    if not wait:
        raise WarehouseBusyError(f"{what}. Nothing was done; run again when it has ended")
    _log.info("Waiting: %s", what)
    while not _try(session):
        time.sleep(_POLL_SECONDS)


def _try(session: Session) -> bool:
    return session.rows("select pg_try_advisory_lock(%s)", [_key(session.dataset)]) == [(True,)]


def _named(session: Session) -> Holder | None:
    """The holder that the table names, alive or dead."""
    if "_writer" not in session.tables():
        return None
    columns = "run_id, pid, since, host"
    rows = session.rows(f'select {columns} from "{session.dataset}"._writer')  # noqa: S608 - ours
    return Holder(*rows[0]) if rows else None


def _name(session: Session, holder: Holder) -> None:
    table = f'"{session.dataset}"._writer'
    make_schema(session)
    with session.transaction():
        session.run(
            f"create table if not exists {table} (run_id text, pid bigint, since text, host text)"
        )
        session.run(f"delete from {table}")  # noqa: S608 - our own name
        session.run(f"insert into {table} values (%s, %s, %s, %s)", astuple(holder))  # noqa: S608


def _clear(session: Session) -> None:
    """Takes the name away; a connection that was lost has given the lock back already."""
    try:
        session.run(f'delete from "{session.dataset}"._writer')  # noqa: S608 - our own name
    except WarehouseError as error:
        _log.warning(
            "The connection that holds the writer's lock of %s was lost while the run wrote: "
            "another run may have begun meanwhile. %s",
            session.dataset,
            error,
        )
