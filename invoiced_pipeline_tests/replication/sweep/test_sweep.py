"""The sweep: rows whose records are gone without an event, and records without a row."""

from datetime import timedelta
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES, TABLES, Table, table
from invoiced_pipeline.exceptions import DatasetMismatchError, WarehouseError
from invoiced_pipeline.windows import from_epoch
from invoiced_pipeline_tests.conftest import NOW, START, Replica, customer, invoice, items


def gone(replicate: Replica, name: str) -> dict[Any, int]:
    sql = f"select id, extract(epoch from _deleted_at) from {name} where _deleted_at is not null"
    return dict(replicate.query(sql))


def put_invoices(emulator: Emulator, count: int, **fields: Any) -> None:
    records = (invoice(number, NOW - 5000, **fields) for number in range(1, count + 1))
    emulator.store.put_many("invoices", records)


VERSIONED = {entry.name for entry in TABLES if entry.listing == "whole"}


@pytest.mark.everywhere
def test_every_table_is_swept_with_ids_alone(emulator: Emulator, replicate: Replica) -> None:
    for name in TABLE_NAMES:
        ids = ("one", "two", "three") if name in VERSIONED else (1, 2, 3)
        emulator.store.put_many(name, ({"id": each, "updated_at": NOW - 5000} for each in ids))
    emulator.store.put("subscriptions", {"id": 2, "updated_at": NOW - 5000, "status": "canceled"})
    replicate.ok()
    lost = {name: ("two" if name in VERSIONED else 3) for name in TABLE_NAMES}
    for name, record in lost.items():
        emulator.store.remove(name, record)
    emulator.clock.advance(3600)
    emulator.forget()
    reports = replicate.sweep()
    for name, record in lost.items():
        assert gone(replicate, name) == {record: NOW + 3600}, name
        counts = reports[name]
        assert (counts.error, counts.rows, counts.listed) == (None, 3, 2)
        assert (counts.deleted, counts.brought) == (1, 0)
    lists = [query for _, path, query, _ in emulator.requests if path.count("/") == 1]
    # Plans and the like have two lists. Single notes cannot be requested, so they are listed twice.
    assert len(lists) == len(TABLE_NAMES) + len(VERSIONED) + 1
    assert all("exclude" in query and "items" not in query.get("include", "") for query in lists)
    # One more request per doubtful row.
    singles = [path for _, path, _, _ in emulator.requests if path.count("/") == 2]
    assert {*singles} == {f"/{name}/{lost[name]}" for name in lost if name != "notes"}
    assert len(singles) == len(lost) - 1
    again = replicate.sweep()
    assert {report.deleted for report in again.values()} == {0}


def excluded(entry: Table) -> set[str]:
    return {column.name for column in entry.columns} - {"id", "updated_at", "internal_id"}


@pytest.mark.slow
def test_lists_of_ids_leave_out_all_other_fields(emulator: Emulator, replicate: Replica) -> None:
    replicate.ok()
    emulator.forget()
    replicate.sweep()
    for _, path, query, _ in emulator.requests:
        assert set(query["exclude"].split(",")) == excluded(table(path[1:])), path
    asked = {path: query.get("include") for _, path, query, _ in emulator.requests}
    assert {path: include for path, include in asked.items() if include} == {
        **{f"/{name}": "internal_id" for name in VERSIONED},
        "/credit_balance_adjustments": "updated_at",
    }
    assert all(query["all"] == "1" for _, path, query, _ in emulator.requests if "subs" in path)


def test_records_that_no_window_shows_are_brought(emulator: Emulator, replicate: Replica) -> None:
    put_invoices(emulator, 150)
    replicate.ok("invoices", "estimates")
    # Without `updated_at`, before the start date, and missing although it is covered.
    emulator.store.put("invoices", invoice(200, None, items=items(2)))
    emulator.store.put("invoices", invoice(201, 5))
    emulator.store.put("invoices", invoice(202, NOW - 4000))
    emulator.store.put("estimates", {"id": 9, "updated_at": None, "name": "No stamp"})
    # Newer than the coverage: the next sync brings it.
    emulator.store.put("invoices", invoice(203, NOW + 100))
    emulator.clock.advance(3600)
    emulator.forget()
    reports = replicate.sweep("invoices", "estimates")
    assert reports["invoices"].brought == 2
    assert set(replicate.ids("invoices")) == {*range(1, 151), 200, 202}
    assert replicate.query("select invoice_id, _index from invoices__items order by 1, 2") == [
        (200, 0),
        (200, 1),
    ]
    assert replicate.query("select name from estimates") == [("No stamp",)]
    # Two pages of ids, and one of records, which holds both.
    assert len([path for _, path, _, _ in emulator.requests if path == "/invoices"]) == 3
    until = replicate.ok("invoices")["invoices"]
    assert until.coverage_before.until == from_epoch(NOW - 10)  # as before
    assert 203 in replicate.ids("invoices")


def test_records_created_or_changed_during_a_sweep_are_not_marked(
    emulator: Emulator, replicate: Replica
) -> None:
    put_invoices(emulator, 3)
    replicate.ok("invoices")
    emulator.store.hold("invoices", 2)  # no list shows it, but a request for it does

    def release(path: str, _: Any) -> None:
        if path == "/invoices/2":
            emulator.store.release("invoices", 2)

    emulator.on_request = release
    emulator.store.put("invoices", invoice(4, NOW))
    report = replicate.sweep("invoices")["invoices"]
    assert (report.deleted, report.error) == (0, None)
    assert gone(replicate, "invoices") == {}


def test_a_marked_record_that_exists_again_is_brought(
    emulator: Emulator, replicate: Replica
) -> None:
    put_invoices(emulator, 2)
    replicate.ok("invoices", start=START)
    emulator.store.remove("invoices", 1)
    replicate.sweep("invoices")
    assert set(gone(replicate, "invoices")) == {1}
    emulator.store.put("invoices", invoice(1, NOW - 5000))
    later = from_epoch(NOW) + timedelta(days=1)
    assert replicate.sweep("invoices", start=later)["invoices"].brought == 1
    assert gone(replicate, "invoices") == {}


def test_an_implausible_share_stops_the_table_alone(emulator: Emulator, replicate: Replica) -> None:
    put_invoices(emulator, 600)
    emulator.store.put_many("customers", (customer(number) for number in (1, 2)))
    replicate.ok("customers", "invoices")
    for number in range(1, 151):
        emulator.store.remove("invoices", number)
    emulator.store.remove("customers", 1)
    emulator.forget()
    reports = replicate.sweep("customers", "invoices")
    assert gone(replicate, "invoices") == {}
    assert set(gone(replicate, "customers")) == {1}  # a few rows are always allowed
    said = reports["invoices"].error or ""
    assert "150 of 600 rows of invoices (25%)" in said
    assert "more than the 20% that a sweep may mark" in said
    assert "invoiced-pipeline sweep --select invoices --allow-share 0.3" in said
    assert not [path for _, path, _, _ in emulator.requests if path.startswith("/invoices/")]
    assert replicate.sweep("invoices", max_share=0.3)["invoices"].deleted == 150
    assert len(gone(replicate, "invoices")) == 150


@pytest.mark.slow
def test_sweep_removes_or_ignores_as_set(emulator: Emulator, replicate: Replica) -> None:
    put_invoices(emulator, 3, items=items(1))
    replicate.ok("invoices")
    emulator.store.remove("invoices", 1)
    emulator.store.put("invoices", invoice(9, None))
    ignored = replicate.sweep("invoices", deletions="ignore")["invoices"]
    assert (ignored.deleted, ignored.brought) == (0, 1)
    assert replicate.sweep("invoices", deletions="remove")["invoices"].deleted == 1
    assert replicate.ids("invoices") == [2, 3, 9]
    assert replicate.query("select invoice_id from invoices__items order by 1") == [(2,), (3,)]


@pytest.mark.slow
def test_a_table_that_cannot_be_listed_stays_as_it_is(
    emulator: Emulator, replicate: Replica
) -> None:
    put_invoices(emulator, 3)
    emulator.store.put("customers", customer(1))
    replicate.ok("customers", "invoices", "payments")
    emulator.store.remove("invoices", 1)
    emulator.store.remove("customers", 1)
    emulator.faults.next("rate5xx", count=1000, path="/invoices")
    reports = replicate.sweep("customers", "invoices")
    assert "GET /invoices answered 500" in (reports["invoices"].error or "")
    assert gone(replicate, "invoices") == {}
    assert set(gone(replicate, "customers")) == {1}


@pytest.mark.slow
def test_many_ids_are_read_in_parts_each_once(emulator: Emulator, replicate: Replica) -> None:
    put_invoices(emulator, 6000)
    replicate.ok("invoices")
    for number in (*range(1, 40), 3000, 5999, 6000):
        emulator.store.remove("invoices", number)
    emulator.forget()
    report = replicate.sweep("invoices")["invoices"]
    assert (report.rows, report.listed, report.deleted) == (6000, 5958, 42)
    assert len(gone(replicate, "invoices")) == 42
    lists = [path for _, path, _, _ in emulator.requests if path == "/invoices"]
    assert 61 <= len(lists) <= 61 + 6
    emulator.account.request_limit = 4
    assert replicate.sweep("invoices")["invoices"].error is None


def test_what_was_never_synced_is_not_swept(emulator: Emulator, replicate: Replica) -> None:
    put_invoices(emulator, 1)
    with pytest.raises(WarehouseError, match="run invoiced-pipeline sync first"):
        replicate.sweep("invoices")
    assert "invoices" not in replicate.existing()
    replicate.ok("invoices")
    assert set(replicate.sweep()) == {"invoices"}
    replicate.dataset = "invoiced"
    with pytest.raises(WarehouseError, match="nothing to sweep"):
        replicate.sweep("customers")


@pytest.mark.slow
def test_another_account_s_dataset_is_not_swept(emulator: Emulator, replicate: Replica) -> None:
    put_invoices(emulator, 3)
    replicate.ok("invoices", connection="Other")
    emulator.store.remove("invoices", 1)
    with pytest.raises(DatasetMismatchError, match="Other"):
        replicate.sweep("invoices")
    assert gone(replicate, "invoices") == {}


@pytest.mark.slow
def test_the_sweep_replaces_a_lost_event(emulator: Emulator, replicate: Replica) -> None:
    put_invoices(emulator, 2)
    replicate.ok("invoices", deletions="mark")
    emulator.store.remove("invoices", 1)  # without an event
    emulator.clock.advance(3600)
    assert replicate.ok("invoices", deletions="mark")["invoices"].deleted == 0
    assert replicate.sweep("invoices")["invoices"].deleted == 1
