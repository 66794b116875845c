"""Queries that users write, in read-only transactions."""

from adbc_driver_manager import Error, dbapi
from adbc_driver_postgresql import _driver_path
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a small name

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.database import QueryResult, Selection
from invoiced_pipeline.warehouse.postgres.session import own_errors

_JSON_TYPES = frozenset({114, 3802})
"""Object ids of the types json and jsonb."""


def select(connection: Connection, url: str, dataset: str, sql: str) -> Selection:
    """Returns the rows of one query.

    A read-only transaction refuses all writes, including functions and data-modifying CTEs. Only a
    second statement could end it, and the server prepares one statement at a time.

    Args:
        connection: Where the query runs; do not use it for anything else afterwards.
        url: The same server, for a second connection.
        dataset: The schema of table names without a schema.
        sql: One SELECT.

    Raises:
        WarehouseError: It is not one SELECT, or the server refuses it.
    """
    _prepare(url, dataset, sql)
    with own_errors(), connection.cursor() as cursor:
        cursor.execute("begin read only")
        cursor.execute(sql)
        if cursor.description is None:
            message = "a source is one SELECT, and cannot change anything"
            raise WarehouseError(message)
        described = [(str(column.name), column.type_code) for column in cursor.description]
        return Selection(
            columns=tuple(name for name, _ in described),
            json_columns=frozenset(name for name, kind in described if kind in _JSON_TYPES),
            rows=cursor.fetchall(),
        )


def run_query(connection: Connection, url: str, dataset: str, sql: str) -> QueryResult:
    """Runs one statement that a person typed; parameters and errors as of `select`."""
    _prepare(url, dataset, sql)
    cursor = connection.cursor()  # closed with its connection
    with own_errors():
        cursor.execute("begin read only")
        cursor.execute(sql)
    described = cursor.description or ()
    return QueryResult(
        columns=tuple(str(column.name) for column in described),
        json_columns=frozenset(
            place for place, column in enumerate(described) if column.type_code in _JSON_TYPES
        ),
        rows=iter(cursor) if described else iter(()),
    )


def _prepare(url: str, dataset: str, sql: str) -> None:
    """Has the server parse one statement without running it.

    Raises:
        WarehouseError: It is more than one statement, or the server cannot parse it.
    """
    with (
        dbapi.connect(driver=_driver_path(), db_kwargs={"uri": url}) as connection,
        connection.cursor() as cursor,
    ):
        try:
            cursor.execute(f'set search_path to "{dataset}"')
            cursor.adbc_prepare(sql)
        except Error as error:
            raise WarehouseError(str(error)) from error
