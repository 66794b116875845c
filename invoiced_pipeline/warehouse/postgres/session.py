"""Sessions over a dataset of a PostgreSQL database."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a small name
from psycopg2.extras import register_default_json, register_default_jsonb

from invoiced_pipeline.exceptions import WarehouseError, WarehouseNotWritableError
from invoiced_pipeline.warehouse.database import Relation, Session
from invoiced_pipeline.warehouse.looked_up_columns import DELETED_AT
from invoiced_pipeline.warehouse.postgres.nul_character import without_nul

CONNECT_SECONDS = 15

LOCK_TIMEOUT = "5s"
"""How long a comment or a view waits for users of the table: the next sync tries again."""


class PostgresSession(Session):
    """A session over one connection to the server."""

    def __init__(self, connection: Connection, dataset: str) -> None:
        self._connection = connection
        self._dataset = dataset

    @property
    def dataset(self) -> str:
        """The schema of table names without a schema."""
        return self._dataset

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Returns all rows of a query."""
        with own_errors(), self._connection.cursor() as cursor:
            cursor.execute(sql, _storable(values))
            return cursor.fetchall()

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Runs a statement that returns no rows."""
        with own_errors(), self._connection.cursor() as cursor:
            cursor.execute(sql, _storable(values))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits all statements of the block at its end, or none."""
        self.run("begin")
        try:
            yield
        except BaseException:
            with suppress(WarehouseError):  # a lost connection is already rolled back
                self.run("rollback")
            raise
        self.run("commit")

    def relations(self, schemas: Sequence[str]) -> list[Relation]:
        """Returns the tables and views with their comments."""
        sql = """
            select nspname, relname, relkind = 'v', attnum, attname, description
            from pg_class
            join pg_namespace on pg_namespace.oid = relnamespace
            join (
                select attrelid, attnum, attname from pg_attribute
                where attnum > 0 and not attisdropped
                union all select oid, 0, null from pg_class
            ) as attributes on attrelid = pg_class.oid
            left join pg_description on objoid = pg_class.oid
                and classoid = 'pg_class'::regclass and objsubid = attnum
            where nspname = any(%s) and relkind in ('r', 'p', 'v')
            order by nspname, relname, attnum
        """
        found: list[Relation] = []
        columns: dict[str, str | None] = {}
        for schema, name, is_view, number, column, comment in self.rows(sql, [list(schemas)]):
            if number == 0:
                columns = {}
                found.append(Relation(schema, name, is_view, comment, columns))
            else:
                columns[column] = comment
        return found

    def qualified(self, schema: str, name: str | None = None) -> str:
        """Returns the name with its schema."""
        return ".".join(_quoted(each) for each in (schema, name) if each is not None)

    def seen_from_beside(self, name: str) -> str:
        """Returns the name with its schema; the server's views survive a renamed table."""
        return self.qualified(self._dataset, name)

    def elements(self, column: str) -> str:
        """Returns the elements as PostgreSQL unnests them."""
        array = f"case when json_typeof({column}) = 'array' then {column} end"
        return (
            "select value, position "  # noqa: S608 - our own names
            f"from json_array_elements({array}) with ordinality as each(value, position)"
        )

    @property
    def catalog(self) -> str:
        """Empty: names in a view never begin with the database's."""
        return ""

    def keep_indexes(self, columns: Iterable[tuple[str, str]]) -> None:
        """Creates the indexes that are missing; one on few rows leaves out NULL."""
        sql = """
            select relname, attname, exists (
                select 1 from pg_index where indrelid = pg_class.oid and indkey[0] = attnum
            )
            from pg_class
            join pg_namespace on pg_namespace.oid = relnamespace
            join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
            where nspname = %s and relkind = 'r'
        """
        known = {(table, column): has for table, column, has in self.rows(sql, [self._dataset])}
        for table, column in columns:
            if known.get((table, column)) is False:
                few = f' where "{column}" is not null' if column == DELETED_AT else ""
                self.run(f'create index on "{table}" ("{column}"){few}')

    def limit_waiting(self) -> None:
        """Sets a lock timeout: others wait behind a statement that waits for readers."""
        self.run(f"set lock_timeout to '{LOCK_TIMEOUT}'")


def connect(url: str, label: str, *, name: str = "invoiced_pipeline") -> Connection:
    """Opens a connection that commits every statement, in UTC; JSON comes as text.

    Args:
        url: The server with user and password.
        label: Its name in messages.
        name: The name that the server's list of sessions shows.

    Raises:
        WarehouseNotWritableError: The server cannot be reached.
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
        raise WarehouseNotWritableError(message) from None  # its cause may contain the password
    return connection


@contextmanager
def open_session(
    connection: Connection, dataset: str, *, read_only: bool
) -> Iterator[PostgresSession]:
    """Opens a session over `dataset`, and closes `connection` with it; see `Database.session`."""
    session = PostgresSession(connection, dataset)
    try:
        if read_only:
            session.run("set default_transaction_read_only to on")
        else:
            create_schema(session)
        session.run(f"set search_path to {_quoted(dataset)}")
        yield session
    finally:
        connection.close()


def create_schema(session: Session) -> None:
    """Creates the dataset if it is missing; a user who may not create one may still use it."""
    sql = "select 1 from pg_namespace where nspname = %s"
    if not session.rows(sql, [session.dataset]):
        session.run(f'create schema if not exists "{session.dataset}"')


@contextmanager
def own_errors() -> Iterator[None]:
    """Raises our errors instead of the driver's."""
    try:
        yield
    except psycopg2.Error as error:
        raise WarehouseError(str(error).strip()) from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _storable(values: Sequence[Any]) -> list[Any] | None:
    """Returns values that the server can store; None if there are none, to keep percent signs."""
    return [_without_nul(each) for each in values] or None


def _without_nul(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nul(each) for each in value]
    return without_nul(value) if isinstance(value, str) else value
