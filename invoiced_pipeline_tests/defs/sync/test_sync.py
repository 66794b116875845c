"""Runs of the assets: partitions, ranges, some tables, sync, full refresh, and failures."""

import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline_tests.defs.conftest import KEYS, RANGE, START, Service, months_ago

SECOND = timedelta(seconds=1)
FIRST, SECOND_KEY, THIRD, RUNNING = KEYS

MOMENTS = {
    1: START - SECOND,
    2: START,
    3: months_ago(2),
    4: months_ago(1) - SECOND,
    5: months_ago(1),
    6: datetime.now(UTC).replace(microsecond=0),
}
"""`updated_at` of the account's records, by id: at both edges of the windows."""


def put(account: Emulator, collection: str, record_id: int, at: datetime, **fields: Any) -> None:
    stamp = int(at.timestamp())
    record = {"id": record_id, "object": collection[:-1], "created_at": stamp, "updated_at": stamp}
    account.store.put(collection, record | fields)


@pytest.fixture
def filled(account: Emulator) -> Emulator:
    for record_id, at in MOMENTS.items():
        put(account, "customers", record_id, at, name=f"Customer {record_id}")
        put(account, "invoices", record_id, at, customer=record_id, items=[], total=record_id)
    return account


@pytest.mark.usefixtures("filled")
def test_the_start_date_clips_the_first_partition(service: Service) -> None:
    outcome = service.materialize(SECOND_KEY, tables=["invoices"])
    assert outcome.success, outcome.error
    assert service.ids("invoices") == [3, 4]
    assert service.marked("invoices") == [SECOND_KEY]
    assert service.marked("customers") == []
    window = f"[{months_ago(2):%Y-%m-%d} 00:00:00, {months_ago(1):%Y-%m-%d} 00:00:00) UTC"
    metadata = outcome.tables["invoices"]
    assert metadata["mode"] == "window"
    assert metadata["window"] == metadata["coverage"] == window
    assert metadata["covered_since"] == months_ago(2).timestamp()
    assert metadata["covered_until"] == months_ago(1).timestamp()
    assert metadata["rows_loaded"] == metadata["dagster/row_count"] == 2
    assert metadata["rows"] == metadata["dagster/partition_row_count"] == 2
    assert metadata["rows_by_partition"] == {SECOND_KEY: 2}
    assert metadata["requests"] == metadata["pages"] == 1
    assert metadata["retries"] == 0

    # A record of the start date is replicated, one a second older is not.
    clipped = service.materialize(FIRST, tables=["invoices"])
    assert clipped.success, clipped.error
    assert service.ids("invoices") == [2, 3, 4]
    assert clipped.tables["invoices"]["covered_since"] == START.timestamp()


def test_a_range_is_one_run_that_marks_every_partition(service: Service, filled: Emulator) -> None:
    tables = ["customers", "invoices"]
    outcome = service.materialize(SECOND_KEY, RUNNING, tables=tables)
    assert outcome.success, outcome.error
    assert set(outcome.tables) == set(tables)
    for table in tables:
        assert service.ids(table) == [3, 4, 5, 6]
        assert service.marked(table) == [SECOND_KEY, THIRD, RUNNING]
        counts = outcome.tables[table]["rows_by_partition"]
        assert counts == {SECOND_KEY: 2, THIRD: 1, RUNNING: 1}
    assert service.marked("plans") == []
    assert {path for _, path, _, _ in filled.requests} == {"/events", "/customers", "/invoices"}
    assert len(service.instance.get_runs()) == 1


def test_a_sync_reads_what_is_not_covered_and_a_full_refresh_reads_all(
    service: Service, filled: Emulator
) -> None:
    first = service.sync()
    assert first.error is None
    assert set(first.tables) == set(TABLE_NAMES)
    assert service.ids("invoices") == service.ids("customers") == [2, 3, 4, 5, 6]
    for table in TABLE_NAMES:
        assert service.marked(table) == KEYS
        assert first.tables[table]["mode"] == "sync"
        assert first.tables[table]["covered_since"] == START.timestamp()
    assert first.tables["estimates"]["dagster/row_count"] == 0

    # Record 6 changed within the overlap and is read again; it stays one row.
    put(filled, "invoices", 7, datetime.now(UTC), customer=2, items=[])
    second = service.sync()
    assert second.error is None
    assert service.ids("invoices") == [2, 3, 4, 5, 6, 7]
    assert second.tables["invoices"]["rows_loaded"] <= 2
    assert second.tables["invoices"]["requests"] == 1
    (latest, *_) = service.instance.get_runs()
    assert latest.tags[RANGE[1]] == RUNNING

    # Only a full refresh sees a change without a new `updated_at`.
    put(filled, "invoices", 3, MOMENTS[3], customer=3, items=[], total=99)
    full = service.sync("invoices", mode="full")
    assert full.error is None
    assert full.tables["invoices"]["rows_loaded"] == 6
    assert service.query("select total from invoices where id = 3") == [(99,)]
    assert service.ids("invoices") == [2, 3, 4, 5, 6, 7]


def test_a_sync_fills_gaps_between_partitions(service: Service, filled: Emulator) -> None:
    for partition in (KEYS[0], KEYS[-1]):
        assert service.materialize(partition, tables=["invoices"]).success
    assert service.marked("invoices") == [KEYS[0], KEYS[-1]]
    assert service.sync("invoices").error is None
    assert service.ids("invoices") == [2, 3, 4, 5, 6]
    assert service.marked("invoices") == KEYS


def test_an_earlier_start_date_adds_rows_and_a_later_one_removes_none(
    service: Service, filled: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(filled, "customers", 8, months_ago(4), name="Early")
    assert service.sync("customers").error is None
    assert service.ids("customers") == [2, 3, 4, 5, 6]

    service.environment["INVOICED_START_DATE"] = months_ago(4).isoformat()
    filled.forget()
    moved = service.sync("customers")
    assert moved.error is None
    assert service.ids("customers") == [1, 2, 3, 4, 5, 6, 8]
    assert service.marked("customers") == [f"{months_ago(4):%Y-%m-%d}", *KEYS]
    # The two missing ones and those of the overlap, but not the rest.
    assert moved.tables["customers"]["rows_loaded"] <= 3

    service.environment["INVOICED_START_DATE"] = months_ago(1).isoformat()
    assert service.sync("customers").error is None
    assert service.ids("customers") == [1, 2, 3, 4, 5, 6, 8]


@pytest.mark.duckdb("an older file is put back")
def test_a_restored_older_warehouse_is_brought_up_to_date(
    service: Service, filled: Emulator
) -> None:
    assert service.sync("customers").error is None
    warehouse = service.settings().warehouse.path
    copy = warehouse.with_name("copy.duckdb")
    shutil.copy(warehouse, copy)
    for record_id in (7, 8):
        put(filled, "customers", record_id, datetime.now(UTC) - 5 * SECOND)
    assert service.sync("customers").error is None
    assert service.ids("customers") == [2, 3, 4, 5, 6, 7, 8]
    shutil.copy(copy, warehouse)
    assert service.ids("customers") == [2, 3, 4, 5, 6]
    assert service.sync("customers").error is None
    assert service.ids("customers") == [2, 3, 4, 5, 6, 7, 8]


def test_failing_tables_are_named_and_do_not_affect_others(
    service: Service, filled: Emulator
) -> None:
    def refuse(path: str, _: Any) -> None:
        if path in {"/plans", "/subscriptions"}:
            raise refused("Invalid filter parameter: x")

    filled.on_request = refuse
    outcome = service.materialize(SECOND_KEY, RUNNING)
    assert not outcome.success
    failing = {"plans", "subscriptions"}
    for table in TABLE_NAMES:
        expected = [] if table in failing else [SECOND_KEY, THIRD, RUNNING]
        assert service.marked(table) == expected, table
    assert set(outcome.tables) == set(TABLE_NAMES) - failing
    assert "not complete: " in outcome.error
    cause = "the API answered 400: Invalid filter parameter: x"
    assert f"2 tables (subscriptions, plans): {cause}" in outcome.error
    assert service.ids("invoices") == [3, 4, 5, 6]

    # The command prints the same; once the API answers, the missing rows are loaded.
    failed = service.sync()
    assert failed.error is not None
    assert failed.error == f"not complete: 2 tables (subscriptions, plans): {cause}"
    assert set(failed.tables) == set(TABLE_NAMES) - failing
    filled.on_request = None
    assert service.sync().error is None
    assert service.marked("plans") == service.marked("subscriptions") == KEYS


def _starting(date: str) -> dict[str, Any]:
    return {"resources": {"start_date": {"config": {"date": date}}}}


@pytest.mark.usefixtures("filled")
def test_a_runs_own_start_date_holds_for_that_run(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INVOICED_START_DATE")
    del service.environment["INVOICED_START_DATE"]
    american = f"{months_ago(2) + timedelta(days=1):%m/%d/%Y}"
    outcome = service.materialize(SECOND_KEY, tables=["invoices"], config=_starting(american))
    assert outcome.success, outcome.error
    assert service.ids("invoices") == [4]
    # Later runs use the default, a year ago, not this run's date.
    start = service.definitions().resources["start_date"].date
    assert start.startswith(f"{datetime.now(UTC) - timedelta(days=365):%Y-%m}")


@pytest.mark.parametrize("date", ["yesterday", "22.11.2025", "2999-01-01", ""])
def test_an_invalid_start_date_is_refused_with_the_accepted_forms(
    date: str, service: Service
) -> None:
    outcome = service.materialize(SECOND_KEY, tables=["invoices"], config=_starting(date))
    assert not outcome.success
    assert "MM/DD/YYYY such as 01/31/2025, or ISO such as 2025-01-31" in outcome.error
    assert not list(service.folder.glob("data/*"))


@pytest.mark.usefixtures("filled")
def test_without_a_key_nothing_is_written(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INVOICED_API_KEY")
    outcome = service.materialize(SECOND_KEY, tables=["invoices"])
    assert not outcome.success
    assert "set INVOICED_API_KEY in the environment or in .env" in outcome.error
    assert not list(service.folder.glob("data/*"))


def test_the_newest_partition_counts_records_without_updated_at(
    service: Service, account: Emulator
) -> None:
    # A plan without `updated_at` belongs to no month: the newest partition counts it.
    account.store.put("plans", {"id": "silent", "internal_id": 2, "updated_at": None})
    put(account, "plans", 1, MOMENTS[3], id="spoken", internal_id=1)
    outcome = service.materialize(SECOND_KEY, RUNNING, tables=["plans"])
    assert outcome.success, outcome.error
    assert service.ids("plans") == ["silent", "spoken"]
    assert outcome.tables["plans"]["rows_loaded"] == 2
    records = service.instance.fetch_materializations(service.key("plans"), limit=10).records
    rows = {entry.partition_key: _rows(entry) for entry in records}
    assert sum(rows.values()) == 2
    assert rows[RUNNING] >= 1


def _rows(record: dg.EventLogRecord) -> Any:
    assert record.asset_materialization is not None
    return record.asset_materialization.metadata["rows"].value


@pytest.mark.usefixtures("filled")
def test_another_accounts_data_is_refused(service: Service) -> None:
    assert service.sync("customers").error is None
    rows = service.ids("customers")
    service.environment["INVOICED_PARTITIONS"] = "daily"
    refused = service.sync("customers")
    assert refused.error is not None
    assert "belongs to partitions 'monthly'" in refused.error
    assert service.ids("customers") == rows
    assert service.instance.get_runs()[0].status is dg.DagsterRunStatus.FAILURE


def test_an_empty_account_gives_empty_tables(service: Service) -> None:
    outcome = service.materialize(RUNNING)
    assert outcome.success, outcome.error
    for table in TABLE_NAMES:
        assert service.ids(table) == []
        assert service.marked(table) == [RUNNING]
