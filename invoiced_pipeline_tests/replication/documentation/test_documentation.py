"""The dataset's documentation: comments, and the views without deleted rows."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import table as table_called
from invoiced_pipeline.replication.documentation.dataset import descriptions, document_dataset
from invoiced_pipeline.selection.tables import all_tables_of
from invoiced_pipeline.warehouse.database import Relation, Session
from invoiced_pipeline.warehouse.deletion_marks import Mark, Marks
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.migration import move_dataset
from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase
from invoiced_pipeline.warehouse.system_tables import write_sync_log
from invoiced_pipeline.writeback.ledger.ledger import Entry, Ledger
from invoiced_pipeline.writeback.plan.plan_table import write_plan
from invoiced_pipeline_tests.conftest import NOW, Replica, customer, invoice, items
from invoiced_pipeline_tests.postgres_server import new_database
from invoiced_pipeline_tests.writeback.plans import plan_of

MIDNIGHT = int(datetime(2023, 11, 1, tzinfo=UTC).timestamp())
"""The first of a month in UTC, and the last of the month before in New York."""

CHANGES = ("comment ", "create ", "drop ")


@pytest.fixture
def replica(emulator: Emulator, replicate: Replica) -> Replica:
    """Customers, invoices and a plan; a DuckDB file with another name than its dataset."""
    if isinstance(replicate.database, DuckDbDatabase):
        replicate.database = DuckDbDatabase(
            Path(replicate.database.label).with_name("warehouse.duckdb")
        )
    emulator.store.put_many("customers", [customer(number) for number in (1, 2, 3)])
    emulator.store.put_many(
        "invoices",
        [invoice(number, customer=1, date=MIDNIGHT, items=items(2)) for number in (1, 2)],
    )
    emulator.store.put("plans", {"id": "pro", "object": "plan", "created_at": MIDNIGHT,
                                 "updated_at": NOW - 1000, "archived": False})  # fmt: skip
    return replicate


def document(replica: Replica, *, current_views: bool = True) -> list[str]:
    """Documents the dataset like a run; returns the statements that changed something."""
    tables = all_tables_of(replica.settings().first)
    with replica.database.session("invoiced") as session, recorded(session) as statements:
        document_dataset(session, tables, current_views=current_views)
    return [sql for sql in statements if sql.lower().startswith(CHANGES)]


@contextmanager
def recorded(session: Session) -> Iterator[list[str]]:
    statements: list[str] = []
    run = session.run

    def noted(sql: str, values: Any = ()) -> None:
        statements.append(sql)
        run(sql, values)

    session.run = noted  # type: ignore[method-assign]
    yield statements


def relations(replica: Replica) -> dict[tuple[str, str], Relation]:
    with replica.database.session("invoiced", read_only=True) as session:
        found = session.relations(["invoiced", "invoiced_current"])
    return {(each.schema, each.name): each for each in found}


@pytest.mark.everywhere
def test_every_table_and_column_is_described(replica: Replica) -> None:
    replica.ok()
    write_sync_log(replica.database, "invoiced", [])
    Ledger(replica.database, "invoiced").write(
        [Entry(writeback="w", record_key="1", payload_hash="")]
    )
    write_plan(replica.database, "invoiced", plan_of(replica.database, "create_customer"), "run")
    with replica.database.writer_lock("invoiced", "run"):
        assert document(replica)
    found = relations(replica)
    assert ("invoiced", "_writeback_responses") in found
    assert {each.name for each in found.values() if each.schema == "invoiced_current"} == {
        each.name for each in found.values() if not each.name.startswith("_")
    }
    missing = [
        (*place, column)
        for place, each in found.items()
        for column, text in {"": each.comment, **each.columns}.items()
        if not text
    ]
    assert missing == []
    said = descriptions(all_tables_of(replica.settings().first))
    tables = [each for each in found.values() if each.schema == "invoiced" and not each.is_view]
    for each in tables:
        assert each.comment == said[each.name].text
        assert each.columns == {name: said[each.name].columns[name] for name in each.columns}
    day = found["invoiced", "invoices"].columns["date"]
    assert day is not None
    assert "cast(date at time zone 'UTC' as date)" in day


def test_only_what_changed_is_written(replica: Replica) -> None:
    replica.ok("customers", "plans")
    write_sync_log(replica.database, "invoiced", [])
    document(replica)
    assert document(replica) == []
    with replica.database.session("invoiced") as session:
        marks = {
            each.name: each.comment for each in session.relations(["invoiced"]) if each.is_view
        }
        assert "Made by invoiced-pipeline as " in (marks["_sync_status"] or "")
        session.run("comment on column plans.created_at is 'Somebody''s own'")
        session.run("comment on table customers is null")
    assert len(document(replica)) == 1
    found = relations(replica)
    assert "to_timestamp(created_at)" in (found["invoiced", "plans"].columns["created_at"] or "")
    assert found["invoiced", "customers"].comment
    # The log's views are not recreated either: on a server, that waits for their readers.
    with replica.database.session("invoiced") as session, recorded(session) as statements:
        write_sync_log(_Opened(session), "invoiced", [])
    assert not [sql for sql in statements if sql.startswith(("create or replace", "comment"))]
    assert {each.name: each.comment for each in relations(replica).values() if each.is_view and
            each.schema == "invoiced"} == marks  # fmt: skip


class _Opened:
    """A database whose session is already open."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @contextmanager
    def session(self, _dataset: str) -> Iterator[Session]:
        yield self._session


@pytest.mark.everywhere
def test_views_have_the_rows_that_exist_and_the_days_of_dates(replica: Replica) -> None:
    replica.ok("invoices", "plans")
    at = datetime.fromtimestamp(NOW, UTC)
    Marks(replica.database, "invoiced").apply([Mark("invoices", "id", 2, at)])
    document(replica)
    assert replica.query("select id from invoices order by id") == [(1,), (2,)]
    with replica.database.session("invoiced", read_only=True) as session:
        session.run("set timezone = 'America/New_York'")
        ((number, day, naive),) = session.rows(
            "select id, date_day, cast(date as date) from invoiced_current.invoices"
        )
        assert (number, day, naive) == (1, date(2023, 11, 1), date(2023, 10, 31))
        lines = session.rows("select distinct invoice_id from invoiced_current.invoices__items")
        assert lines == [(1,)]
        session.run("set timezone = 'UTC'")
        plan = session.rows("select created_at, created_at_timestamp from invoiced_current.plans")
        assert plan == [(MIDNIGHT, datetime.fromtimestamp(MIDNIGHT, UTC))]
    columns = relations(replica)["invoiced_current", "invoices"].columns
    assert not {"_deleted_at", "_tombstone"} & columns.keys()
    assert {"_extra", "_dlt_load_id", "due_date_day"} <= columns.keys()


def test_a_new_column_appears_and_dependent_views_stay(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = table_called("invoices")
    older = replace(known, columns=tuple(each for each in known.columns if each.name != "number"))
    with monkeypatch.context() as patched:
        patched.setattr("invoiced_pipeline_tests.conftest.all_tables_of", lambda _: [older])
        replica.ok("invoices")
        document(replica)
    assert "number" not in relations(replica)["invoiced_current", "invoices"].columns
    with replica.database.session("invoiced") as session:
        session.run("create view mine as select id, date_day from invoiced_current.invoices")
    replica.ok("invoices", mode="full")
    assert [sql for sql in document(replica) if sql.startswith("create or replace view")]
    assert replica.query("select number from invoiced_current.invoices order by id") == [
        ("INV-1",),
        ("INV-2",),
    ]
    assert replica.query("select id from mine order by id") == [(1,), (2,)]
    assert document(replica) == []


def test_views_are_dropped_when_they_are_switched_off(
    replica: Replica, caplog: pytest.LogCaptureFixture
) -> None:
    replica.ok("customers", "plans")
    document(replica)
    with replica.database.session("invoiced") as session:
        session.run("drop view invoiced_current.plans")
        session.run("create view invoiced_current.plans as select 1 as mine")
    document(replica)
    assert "invoiced_current.plans was not created by invoiced-pipeline" in caplog.text
    document(replica, current_views=False)
    left = [place for place in relations(replica) if place[0] == "invoiced_current"]
    assert left == [("invoiced_current", "plans")]
    assert replica.query("select mine from invoiced_current.plans") == [(1,)]
    with replica.database.session("invoiced") as session:
        session.run("drop view invoiced_current.plans")
    document(replica)
    document(replica, current_views=False)
    schemas = "select 1 from information_schema.schemata where schema_name = 'invoiced_current'"
    assert replica.query(schemas) == []
    assert document(replica, current_views=False) == []


def test_a_hashed_column_is_described_so_and_its_view_stays(
    emulator: Emulator, replica: Replica
) -> None:
    emulator.store.put("customers", customer(1, email="ada@example.com"))
    replica.ok("customers")
    document(replica)
    replica.tables = {"customers": {"hash": ["email"], "drop": ["phone"]}}
    replica.ok("customers")  # redacts the rows, and rewrites the warehouse
    assert len(document(replica)) == 1
    found = relations(replica)
    for schema in ("invoiced", "invoiced_current"):
        columns = found[schema, "customers"].columns
        assert "Hashed: SHA-256" in (columns["email"] or "")
        assert "always NULL" in (columns["phone"] or "")
        assert columns["name"] == "Name of the company or person."
    ((email,),) = replica.query("select email from invoiced_current.customers where id = 1")
    assert len(email) == 64


@pytest.mark.duckdb("about files and their names")
def test_views_hold_in_a_new_session_and_under_another_name(replica: Replica) -> None:
    replica.ok("invoices")
    document(replica)
    replica.database.rewrite("invoiced")
    file = replica.database.label
    counted = "select count(*), min(date_day) from {}invoiced_current.invoices"
    expected = [(2, date(2023, 11, 1))]
    with duckdb.connect(file, read_only=True) as connection:
        assert connection.execute(counted.format("")).fetchall() == expected
    with duckdb.connect() as connection:
        connection.execute(f"attach '{file}' as elsewhere (read_only)")
        assert connection.execute(counted.format("elsewhere.")).fetchall() == expected
    assert document(replica) == []


@pytest.mark.duckdb("about a file's name")
def test_a_file_named_like_its_dataset_has_comments_but_no_views(
    replica: Replica, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    replica.database = DuckDbDatabase(tmp_path / "Invoiced.duckdb")
    replica.ok("customers")
    document(replica)
    assert "the file has the same name as the dataset invoiced" in caplog.text
    found = relations(replica)
    assert found["invoiced", "customers"].comment
    assert not [schema for schema, _ in found if schema == "invoiced_current"]


@pytest.mark.duckdb("moves from a file")
def test_a_moved_dataset_is_described_by_its_next_sync(
    replica: Replica, tmp_path: Path, postgres_url: str
) -> None:
    assert isinstance(replica.database, DuckDbDatabase)
    replica.ok("customers")
    document(replica)
    with new_database(postgres_url) as url:
        server = PostgresDatabase(SecretStr(url), tmp_path / "elsewhere")
        moved = {each.table for each in move_dataset(replica.database, server, "invoiced")}
        assert {name for schema, name in relations(replica) if schema == "invoiced"} == moved
        replica.database = server
        replica.ok("customers")
        assert document(replica)
        assert replica.query("select count(*) from invoiced_current.customers") == [(3,)]
        assert relations(replica)["invoiced", "customers"].comment


def test_a_user_who_may_not_comment_or_create_schemas_gets_warnings(
    replica: Replica, postgres_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if isinstance(replica.database, DuckDbDatabase):
        pytest.skip("a file has no users")
    replica.ok("customers")
    caplog.set_level(logging.WARNING)
    with replica.database.session("invoiced") as session:
        session.run("create role lodger")
        session.run("grant usage on schema invoiced to lodger")
        session.run("grant select on all tables in schema invoiced to lodger")
        try:
            session.run("set role lodger")
            document_dataset(session, [table_called("customers")], current_views=True)
        finally:
            session.run("reset role")
            session.run("drop owned by lodger")
            session.run("drop role lodger")
    assert "The views in invoiced_current could not be updated: permission denied" in caplog.text
    assert "The comments in invoiced could not be updated: must be owner" in caplog.text
