"""On a server, readers do not wait for runs, and runs do not wait for readers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient

from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.conftest import customer, invoice, items
from invoiced_pipeline_tests.defs.conftest import Service
from invoiced_pipeline_tests.postgres_server import administrator

ALL = "select table_name from information_schema.tables where table_schema = 'invoiced'"


@pytest.fixture
def impatient(server: Service, url: str) -> Service:
    """A server on which waiting for a lock fails within a second."""
    with administrator(url) as cursor:
        name = url.partition("?")[0].rpartition("/")[2]
        cursor.execute(f"alter database {name} set lock_timeout = '1s'")
    return server


def fill(account: Emulator, name: str) -> None:
    at = account.clock.now() - 4000
    account.store.put_many("customers", [customer(n, at, name=name) for n in (1, 2)])
    account.store.put("invoices", invoice(1, at, customer=1, created_at=at, items=items(2)))


def read_all(cursor: Any) -> int:
    """Reads every table and view of the dataset; returns how many there are."""
    cursor.execute(ALL)
    names = [name for (name,) in cursor.fetchall()]
    for name in names:
        cursor.execute(f'select count(*) from invoiced."{name}"')
    return len(names)


@contextmanager
def reading(url: str) -> Iterator[None]:
    """Reads everything and leaves the transaction open, as many tools do."""
    import psycopg2

    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            assert read_all(cursor) > 20
            yield
    finally:
        connection.close()


def test_a_run_does_not_wait_for_readers(impatient: Service, account: Emulator, url: str) -> None:
    fill(account, "Old")
    assert impatient.sync().error is None
    fill(account, "New")
    with reading(url):
        result = impatient.sync(mode="full")
        assert result.error is None, result.error
    log = "select count(distinct run_id) from _sync_log where status = 'succeeded'"
    assert impatient.query(log) == [(2,)]
    assert impatient.query("select distinct name from customers") == [("New",)]


@pytest.mark.slow
def test_readers_do_not_wait_for_a_run(impatient: Service, account: Emulator, url: str) -> None:
    """They read everything while a merge is not committed yet."""
    fill(account, "Old")
    assert impatient.sync().error is None
    fill(account, "New")
    seen: list[tuple[str]] = []
    execute_many = Psycopg2SqlClient.execute_many

    def look(client: Psycopg2SqlClient, statements: Sequence[str], *values: Any) -> Any:
        if not any('"customers"' in each and "DELETE" in each for each in statements):
            return execute_many(client, statements, *values)
        with client.begin_transaction():
            found = execute_many(client, statements, *values)
            with administrator(url) as cursor:
                assert read_all(cursor) > 20
                cursor.execute("select distinct name from invoiced.customers")
                seen.extend(cursor.fetchall())
            return found

    with mock.patch.object(Psycopg2SqlClient, "execute_many", look):
        result = impatient.sync("customers", mode="full")
    assert result.error is None, result.error
    assert seen == [("Old",)]
    assert impatient.query("select distinct name from customers") == [("New",)]
