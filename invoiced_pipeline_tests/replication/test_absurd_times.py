"""Times outside the calendar, in any field: the record is rejected, all others load."""

import json
import logging
from datetime import timedelta

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.conftest import NOW, Replica, customer, invoice

DAY = 86_400
LATE = [253_402_300_800, 10**15, 2**63 - 1]
"""After the year 9999, by a second and by far; the last two overflow 64 bits as microseconds."""
ABSURD = [*LATE, -(10**12), -(2**63)]


def fill(emulator: Emulator, absurd: dict[str, object]) -> None:
    emulator.store.put_many("invoices", [invoice(n, NOW - n * 60) for n in range(1, 251)])
    emulator.store.put("invoices", invoice(1000, **{"updated_at": NOW - 30, **absurd}))


@pytest.mark.everywhere
@pytest.mark.parametrize(
    ("field", "second"),
    [("updated_at", second) for second in LATE]
    + [(field, second) for field in ("created_at", "date") for second in ABSURD],
)
def test_record_is_rejected_and_all_others_load(
    emulator: Emulator, replicate: Replica, field: str, second: int
) -> None:
    fill(emulator, {field: second})
    for rows in (250, 0):  # a second sync asks for it again, and also succeeds
        report = replicate.ok("invoices", overlap=timedelta(0))["invoices"]
        assert (report.rejected, report.alarm) == (1, None)
        assert report.rows >= rows
        (row,) = replicate.rows("_rejected")
        assert (row["table_name"], row["id"]) == ("invoices", "1000")
        assert row["reason"] == f"{field}: {second} is no timestamp"
        assert json.loads(row["record"])[field] == second
        assert len(replicate.ids("invoices")) == 250
        assert report.coverage.until is not None
        assert report.coverage.until.year < 2100
        emulator.clock.advance(DAY)
    emulator.store.put("invoices", invoice(1000, emulator.clock.now() - 60))
    replicate.ok("invoices")
    assert replicate.rows("_rejected") == []
    assert len(replicate.ids("invoices")) == 251


@pytest.mark.parametrize("table", ["estimates", "credit_balance_adjustments"])
@pytest.mark.parametrize("second", LATE)
def test_lists_that_are_read_in_other_ways(
    emulator: Emulator, replicate: Replica, table: str, second: int
) -> None:
    for number, stamp in [(1, NOW - 1), (2, second), (3, NOW - 3)]:
        emulator.store.put(table, {"id": number, "updated_at": stamp})
    assert replicate.ok(table)[table].rejected == 1
    assert replicate.ids(table) == [1, 3]
    assert [row["id"] for row in replicate.rows("_rejected")] == ["2"]


@pytest.mark.parametrize("second", LATE)
def test_plans_keep_the_number_that_their_column_is_declared_as(
    emulator: Emulator, replicate: Replica, second: int
) -> None:
    for number, stamp in [(1, NOW - 1), (2, second), (3, NOW - 3)]:
        emulator.store.put("plans", {"id": f"plan{number}", "updated_at": stamp})
    report = replicate.ok("plans")["plans"]
    assert (report.rows, report.rejected) == (3, 0)
    found = replicate.query("select id, updated_at from plans order by id")
    assert found == [("plan1", NOW - 1), ("plan2", second), ("plan3", NOW - 3)]
    assert report.periods.total() == 2


@pytest.mark.parametrize("second", ABSURD)
def test_element_of_a_child_table_keeps_its_place(
    emulator: Emulator, replicate: Replica, second: int
) -> None:
    lines = [{"id": 1, "name": "a"}, {"id": 2, "created_at": second}, {"id": 3, "name": "c"}]
    fill(emulator, {"items": lines})
    report = replicate.ok("invoices")["invoices"]
    assert (report.rows, report.rejected) == (251, 0)
    found = replicate.query("select _index, id, _extra from invoices__items order by _index")
    assert [(index, line) for index, line, _ in found] == [(0, 1), (1, None), (2, 3)]
    assert json.loads(found[1][2]) == lines[1]


@pytest.mark.parametrize("second", LATE)
def test_event_is_warned_of_and_the_others_count(
    emulator: Emulator, replicate: Replica, caplog: pytest.LogCaptureFixture, second: int
) -> None:
    emulator.store.put_many("customers", [customer(n) for n in (1, 2, 3)])
    replicate.ok("customers", deletions="mark")
    at = emulator.clock.advance(60)
    for number, (record, moment) in enumerate([(1, at), (2, second)], start=1):
        emulator.store.remove("customers", record)
        event = {
            "type": "customer.deleted",
            "timestamp": moment,
            "data": {"object": {"id": record}},
        }
        emulator.store.put("events", {"id": number, "object": "event", **event})
    emulator.clock.advance(60)
    replicate.ok("customers", deletions="mark")
    assert replicate.query("select id, _deleted_at is not null from customers order by id") == [
        (1, True),
        (2, False),
        (3, False),
    ]
    (warning,) = [each for each in caplog.records if "Event" in each.getMessage()]
    assert warning.levelno == logging.WARNING
    assert f"Event 2 (customer.deleted) is skipped: its timestamp {second}" in warning.getMessage()
    assert "invoiced-pipeline sweep" in warning.getMessage()
    assert replicate.sweep("customers")["customers"].error is None
    assert replicate.query("select _deleted_at is not null from customers where id = 2") == [
        (True,)
    ]
