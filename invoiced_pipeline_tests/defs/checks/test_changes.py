"""Checks look at what changed, and what they say is true of the whole table."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLES
from invoiced_pipeline.warehouse import integrity
from invoiced_pipeline.warehouse.duckdb.session import DuckDbSession
from invoiced_pipeline.warehouse.postgres.session import PostgresSession
from invoiced_pipeline_tests.defs.conftest import Service, months_ago

DATA = [
    name
    for table in TABLES
    for name in (table.name, *(table.child_name(child) for child in table.children))
]


def put(account: Emulator, collection: str, record_id: int, at: datetime, **fields: Any) -> None:
    stamp = int(at.timestamp())
    record = {"id": record_id, "object": collection[:-1], "created_at": stamp, "updated_at": stamp}
    account.store.put(collection, record | fields)


def bill(account: Emulator, number: int, at: datetime, balance: int = 60) -> None:
    """An invoice of 100 with 40 paid."""
    sent = {"status": "sent", "draft": False, "total": 100, "balance": balance}
    put(account, "invoices", number, at, customer=1, items=[{"id": 1, "amount": 100}], **sent)
    split = {"id": number, "type": "invoice", "amount": 40, "invoice": number}
    paid = {"amount": 40, "balance": 0, "voided": False, "applied_to": [split]}
    put(account, "payments", number, at, customer=1, **paid)


def lately() -> datetime:
    """Within the overlap: a sync reads up to a few seconds ago."""
    return datetime.now(UTC) - timedelta(minutes=1)


@pytest.fixture
def billed(account: Emulator) -> Emulator:
    put(account, "customers", 1, months_ago(1), name="Ann")
    for number in range(1, 6):
        bill(account, number, months_ago(1))
    return account


def failing(service: Service) -> dict[tuple[str, str], str]:
    """What is wrong by the last evaluation of every check."""
    graph = service.definitions().resolve_asset_graph()
    storage = service.instance.event_log_storage
    found = {}
    for key, record in storage.get_latest_asset_check_execution_by_key(
        list(graph.asset_check_keys)
    ).items():
        event = record.event.dagster_event if record.event else None
        if event is not None and event.event_type_value == "ASSET_CHECK_EVALUATION":
            outcome = event.asset_check_evaluation_data
            if not outcome.passed:
                found[key.asset_key.path[-1], key.name] = outcome.description or ""
    return found


def delete_payment(account: Emulator, number: int) -> None:
    account.store.remove("payments", number)
    stamp = int(lately().timestamp())
    event = {"id": 1, "type": "payment.deleted", "data": {"object": {"id": number}}}
    account.store.put("events", {**event, "timestamp": stamp})


BALANCED = ("invoices", "payments", "transactions")
"""The tables that the balance of an invoice needs."""


few_and_many = pytest.mark.parametrize("most_listed", [integrity.MOST_LISTED, 0])
"""With few changed rows a query names their ids, with many it looks them up."""


@few_and_many
def test_a_payment_that_is_deleted_makes_its_invoice_be_added_up_again(
    service: Service, billed: Emulator, monkeypatch: pytest.MonkeyPatch, most_listed: int
) -> None:
    monkeypatch.setattr(integrity, "MOST_LISTED", most_listed)
    assert service.sync(*BALANCED).error is None
    assert failing(service) == {}
    delete_payment(billed, 3)  # and the API forgets to change the invoice
    assert service.sync(*BALANCED).error is None
    off = {("invoices", "balance"): "1 of 1 changed record does not add up; first: id 3"}
    assert failing(service) == off
    bill(billed, 6, lately())
    assert service.sync(*BALANCED).error is None
    off = {("invoices", "balance"): "1 of 2 changed records does not add up; first: id 3"}
    assert failing(service) == off
    unpaid = {"status": "sent", "draft": False, "total": 100, "balance": 100, "items": []}
    put(billed, "invoices", 3, lately(), customer=1, **unpaid)
    assert service.sync(*BALANCED).error is None
    assert failing(service) == {}


@few_and_many
def test_a_parent_that_arrives_late_mends_its_child(
    service: Service, billed: Emulator, monkeypatch: pytest.MonkeyPatch, most_listed: int
) -> None:
    monkeypatch.setattr(integrity, "MOST_LISTED", most_listed)
    put(billed, "customers", 4, months_ago(1), name="last")
    put(billed, "invoices", 9, months_ago(1), customer=3, status="draft", draft=True)
    assert service.sync("customers", "invoices").error is None
    missing = {("invoices", "foreign_keys"): "parents are missing: 1 of customer in customers"}
    assert failing(service) == missing
    put(billed, "customers", 5, lately(), name="another")
    assert service.sync("customers", "invoices").error is None
    assert failing(service) == missing
    put(billed, "customers", 3, lately(), name="late")
    assert service.sync("customers", "invoices").error is None
    assert failing(service) == {}


def test_all_rows_are_checked_after_a_week_and_after_a_sweep(
    service: Service, billed: Emulator
) -> None:
    assert service.sync("invoices").error is None

    def damage() -> None:
        with service.database.session("invoiced") as session:
            session.run("insert into invoices select * from invoices where id = 1")

    damage()
    assert service.sync("invoices").error is None  # nothing was loaded, and nothing is looked at
    with service.database.session("invoiced") as session:
        session.run("update _table_checks set whole_at = whole_at - interval '8 days'")
    assert "1 doubled" in (service.sync("invoices").error or "")
    assert service.sync("invoices", mode="full").error is None
    assert service.sweep("invoices").error is None
    damage()
    assert "1 doubled" in (service.sync("invoices").error or "")


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of all sessions from now on."""
    statements: list[str] = []
    for session in (DuckDbSession, PostgresSession):
        for name in ("rows", "run"):
            run = getattr(session, name)

            def record(self: Any, sql: str, values: Any = (), run: Any = run) -> Any:
                statements.append(sql)
                return run(self, sql, values)

            monkeypatch.setattr(session, name, record)
    return statements


def test_an_idle_sync_reads_no_table_and_loads_nothing(
    service: Service, billed: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert service.sync().error is None
    assert service.sync().error is None  # the first one after a load looks at what was loaded
    statements = recorded(monkeypatch)
    loads = "select count(*) from _dlt_loads"
    before = service.query(loads)
    assert service.sync().error is None
    read = re.compile(rf'\b(from|join|update|into) "?({"|".join(DATA)})\b')
    assert [sql for sql in statements if read.search(sql)] == []
    assert service.query(loads) == before
    # Nothing was loaded, but the next sync begins where this one ended.
    (log,) = service.query(
        "select distinct coverage_after from _sync_log where table_name = 'invoices' "
        "order by coverage_after desc limit 1"
    )
    assert service.sync("invoices").error is None
    assert log in service.query("select coverage_before from _sync_log")


def test_what_a_small_sync_looks_up_is_named(
    service: Service, billed: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB hashes a whole table if it does not know how few of its rows are looked for."""
    assert service.sync().error is None
    bill(billed, 7, lately())
    put(billed, "customers", 2, lately(), name="Bob")
    put(billed, "credit_balance_adjustments", 1, lately(), customer=2, amount=5)
    statements = recorded(monkeypatch)
    assert service.sync().error is None
    named = [sql for sql in statements if "in (select id from (values (%s)" in sql]
    assert any("left join customers" in sql for sql in named), "orphans"
    assert any("group by id having" in sql for sql in named), "keys"
    assert any("with changed as (select id from (values" in sql for sql in statements), "sums"
    loaded = re.compile(r"\b(in|exists) \([^()]*_dlt_load_id >")
    assert [sql for sql in statements if loaded.search(sql)] == []


def test_an_idle_and_a_small_sync_read_no_table_from_start_to_end(
    server: Service, billed: Emulator
) -> None:
    """The server counts its sequential scans, and scans only where it has no index."""
    assert server.sync().error is None
    with server.database.session("invoiced") as session:
        ((name,),) = session.rows("select current_database()")
        session.run(f'alter database "{name}" set enable_seqscan = off')

    def scans() -> dict[str, int]:
        with server.database.session("invoiced") as session:
            found = dict(
                session.rows(
                    "select relname, seq_scan from pg_stat_user_tables "
                    "where schemaname = 'invoiced'"
                )
            )
        return {name: found[name] for name in DATA if name in found}

    before = scans()
    assert before["invoices"] > 0
    assert server.sync().error is None
    assert scans() == before
    now = lately()
    put(billed, "customers", 2, now, name="Bob")
    bill(billed, 2, now, balance=50)
    bill(billed, 7, now)
    delete_payment(billed, 5)
    assert server.sync().error is None
    off = "2 of 3 changed records do not add up; first: id 2"
    assert failing(server) == {("invoices", "balance"): off}
    assert scans() == before
