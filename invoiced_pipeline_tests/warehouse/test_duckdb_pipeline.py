"""The load with limited memory, and without staging tables."""

import dataclasses
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from invoiced_emulator.server import Emulator
from invoiced_pipeline.warehouse.duckdb import pipeline as duckdb_pipeline
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline_tests.conftest import NOW, Replica, customer, invoice

pytestmark = pytest.mark.duckdb("its bounds of memory, and its ways with staging tables")


def test_a_load_that_needs_more_memory_raises_the_limit(
    emulator: Emulator,
    replicate: Replica,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    emulator.store.put_many("customers", map(customer, range(1, 1001)))
    monkeypatch.setitem(duckdb_pipeline.SETTINGS, "memory_limit", "4MB")
    replicate.ok("customers")
    assert replicate.ids("customers") == list(range(1, 1001))
    assert "This load needs more than 4MB of memory" in caplog.text


def test_nothing_is_staged_and_what_was_staged_before_is_removed(
    emulator: Emulator, replicate: Replica, warehouse: Path
) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema invoiced_staging")
        connection.execute("create table invoiced_staging.customers as select 'old' as email")
    emulator.store.put("customers", customer(1))
    replicate.ok("customers")
    assert replicate.ids("customers") == [1]
    schemas = "select distinct schema_name from duckdb_tables() where not internal"
    assert replicate.query(schemas) == [("invoiced",)]


def test_children_are_replaced_by_their_parents_key_alone(
    emulator: Emulator, replicate: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With "same parent and index, or same parent", DuckDB needs 25 times as long."""
    statements: list[str] = []
    execute = DuckDbSqlClient.execute_query

    def observed(self: DuckDbSqlClient, query: Any, *arguments: Any, **options: Any) -> Any:
        statements.append(str(query))
        return execute(self, query, *arguments, **options)

    monkeypatch.setattr(DuckDbSqlClient, "execute_query", observed)
    lines = [{"id": number, "amount": number} for number in (1, 2, 3)]
    emulator.store.put("invoices", invoice(1, items=lines))
    emulator.store.put("invoices", invoice(2, items=lines[:1]))
    replicate.ok("invoices")
    emulator.store.put("invoices", invoice(1, NOW - 100, items=lines[1:]))
    replicate.ok("invoices")
    items = "select invoice_id, id from invoices__items order by 1, 2"
    assert replicate.query(items) == [(1, 2), (1, 3), (2, 1)]
    deletes = [sql.partition("INSERT")[0] for sql in statements if "DELETE FROM" in sql]
    assert any("invoices__items" in sql for sql in deletes)
    assert [sql for sql in deletes if " OR " in sql] == []


@pytest.mark.parametrize("folder", ["it's", "a;b", "a\nb", "a[1]*"])
def test_files_of_a_load_may_lie_in_any_folder(
    emulator: Emulator, replicate: Replica, tmp_path: Path, folder: str
) -> None:
    place = tmp_path / folder
    place.mkdir()
    replicate = dataclasses.replace(replicate, database=DuckDbDatabase(place / "invoiced.duckdb"))
    emulator.store.put("customers", customer(1, name="before"))
    replicate.ok("customers")
    emulator.store.put("customers", customer(1, NOW - 100, name="after"))
    replicate.ok("customers")
    assert [row["name"] for row in replicate.rows("customers")] == ["after"]


@pytest.mark.parametrize(("every", "tidied_up"), [(1000, False), (8, True)])
def test_replaced_rows_are_vacuumed_after_some_loads_only(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch, every: int, *, tidied_up: bool
) -> None:
    monkeypatch.setattr(duckdb_pipeline, "VACUUM_EVERY", every)
    pipeline = DuckDbDatabase(warehouse).pipeline("invoiced")
    for load in range(8):
        # Every load replaces some rows of the first load only.
        rows = [{"id": id_, "load": load} for id_ in range(load, 800, 8 if load else 1)]
        things = dlt.resource(rows, name="things", write_disposition="merge", primary_key="id")
        pipeline.run(things, loader_file_format="parquet")
    groups = "select count(distinct row_group_id) from pragma_storage_info('things')"
    with DuckDbDatabase(warehouse).session("invoiced", read_only=True) as session:
        assert session.rows("select count(*) from things") == [(800,)]
        [(found,)] = session.rows(groups)
    assert (found < 8) is tidied_up, found
