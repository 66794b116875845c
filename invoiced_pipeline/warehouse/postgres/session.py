"""A session over a dataset of a PostgreSQL database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class, named like none
from psycopg2.extras import register_default_json, register_default_jsonb

from invoiced_pipeline.exceptions import WarehouseError, WarehouseNotWritableError
from invoiced_pipeline.warehouse.database import Session
from invoiced_pipeline.warehouse.postgres.text import without_nul

CONNECT_SECONDS = 15


class PostgresSession(Session):
    """Statements over one connection."""

    def __init__(self, connection: Connection, dataset: str) -> None:
        self._connection = connection
        self._dataset = dataset

    @property
    def dataset(self) -> str:
        """The schema that names without one mean."""
        return self._dataset

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with told(), self._connection.cursor() as cursor:
            cursor.execute(sql, _storable(values))
            return cursor.fetchall()

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Runs a statement that has no rows to give."""
        with told(), self._connection.cursor() as cursor:
            cursor.execute(sql, _storable(values))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits what is run inside at its end, all or nothing."""
        self.run("begin")
        try:
            yield
        except BaseException:
            with suppress(WarehouseError):  # a lost connection has rolled back already
                self.run("rollback")
            raise
        self.run("commit")

    def comment(self, view: str) -> str | None:
        """What was said of a view."""
        sql = (
            "select obj_description(pg_class.oid, 'pg_class') from pg_class "
            "join pg_namespace on pg_namespace.oid = relnamespace "
            "where nspname = %s and relname = %s"
        )
        return next((text for (text,) in self.rows(sql, [self._dataset, view])), None)


def connect(url: str, label: str, *, name: str = "invoiced_pipeline") -> Connection:
    """A connection that commits every statement, in UTC; JSON comes as text.

    Args:
        url: The server, with user and password.
        label: What messages call it.
        name: What the server's list of sessions shows.

    Raises:
        WarehouseNotWritableError: There is no connection to be had.
    """
    try:
        connection = psycopg2.connect(
            url, connect_timeout=CONNECT_SECONDS, application_name=name[:63]
        )
        connection.autocommit = True
        for register in (register_default_json, register_default_jsonb):
            register(connection, loads=str)
        with connection.cursor() as cursor:
            cursor.execute("set timezone to 'UTC'")
    except psycopg2.Error as error:
        text = str(error).strip()
        message = (
            f"Cannot reach {label}: {text}. Check the server, and INVOICED_POSTGRES_URL or "
            "[warehouse.credentials] with the variable of its password"
        )
        raise WarehouseNotWritableError(message) from None  # its cause may repeat the password
    return connection


@contextmanager
def open_session(
    connection: Connection, dataset: str, *, read_only: bool
) -> Iterator[PostgresSession]:
    """A session over `dataset`, which closes `connection`; see `Database.session`."""
    session = PostgresSession(connection, dataset)
    try:
        if read_only:
            session.run("set default_transaction_read_only to on")
        else:
            make_schema(session)
        session.run(f'set search_path to "{dataset}"')
        yield session
    finally:
        connection.close()


def make_schema(session: Session) -> None:
    """Makes the dataset where there is none; asking first, for who may not make one may use it."""
    sql = "select 1 from pg_namespace where nspname = %s"
    if not session.rows(sql, [session.dataset]):
        session.run(f'create schema if not exists "{session.dataset}"')


@contextmanager
def told() -> Iterator[None]:
    """Turns the driver's errors into ours."""
    try:
        yield
    except psycopg2.Error as error:
        raise WarehouseError(str(error).strip()) from error


def _storable(values: Sequence[Any]) -> list[Any] | None:
    """Values as the server takes them; None, for no values, leaves percent signs alone."""
    return [without_nul(each) if isinstance(each, str) else each for each in values] or None
