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


def fill(emulator: Emulator, *absurd: dict[str, object]) -> None:
    """Puts 250 invoices into the account, and one with each of the absurd values."""
    emulator.store.put_many("invoices", [invoice(n, NOW - n * 60) for n in range(1, 251)])
    for number, fields in enumerate(absurd, start=1000):
        emulator.store.put("invoices", invoice(number, **{"updated_at": NOW - 30, **fields}))


@pytest.mark.everywhere
@pytest.mark.parametrize(
    ("field", "seconds"), [("updated_at", LATE), ("created_at", ABSURD), ("date", ABSURD)]
)
def test_records_are_rejected_and_all_others_load(
    emulator: Emulator, replicate: Replica, field: str, seconds: list[int]
) -> None:
    fill(emulator, *({field: second} for second in seconds))
    for rows in (250, 0):  # a second sync asks for them again, and also succeeds
        report = replicate.ok("invoices", overlap=timedelta(0))["invoices"]
        assert (report.rejected, report.alarm) == (len(seconds), None)
        assert report.rows >= rows
        rejected = replicate.rows("_rejected", "id")
        for number, (row, second) in enumerate(zip(rejected, seconds, strict=True), start=1000):
            assert (row["table_name"], row["id"]) == ("invoices", str(number))
            assert row["reason"] == f"{field}: {second} is no timestamp"
            assert json.loads(row["record"])[field] == second
        assert len(replicate.ids("invoices")) == 250
        assert report.coverage.until is not None
        assert report.coverage.until.year < 2100
        emulator.clock.advance(DAY)
    for number in range(1000, 1000 + len(seconds)):
        emulator.store.put("invoices", invoice(number, emulator.clock.now() - 60))
    replicate.ok("invoices")
    assert replicate.rows("_rejected") == []
    assert len(replicate.ids("invoices")) == 250 + len(seconds)


@pytest.mark.parametrize("table", ["estimates", "credit_balance_adjustments"])
def test_lists_that_are_read_in_other_ways(
    emulator: Emulator, replicate: Replica, table: str
) -> None:
    for number, stamp in enumerate([NOW - 1, *LATE, NOW - 3]):
        emulator.store.put(table, {"id": number + 1, "updated_at": stamp})
    assert replicate.ok(table)[table].rejected == 3
    assert replicate.ids(table) == [1, 5]
    assert [row["id"] for row in replicate.rows("_rejected", "id")] == ["2", "3", "4"]


def test_plans_keep_the_number_that_their_column_is_declared_as(
    emulator: Emulator, replicate: Replica
) -> None:
    stamps = [NOW - 1, *LATE, NOW - 3]
    for number, stamp in enumerate(stamps):
        emulator.store.put("plans", {"id": f"plan{number}", "updated_at": stamp})
    report = replicate.ok("plans")["plans"]
    assert (report.rows, report.rejected) == (5, 0)
    found = replicate.query("select id, updated_at from plans order by id")
    assert found == [(f"plan{number}", stamp) for number, stamp in enumerate(stamps)]
    assert report.periods.total() == 2


def test_element_of_a_child_table_keeps_its_place(emulator: Emulator, replicate: Replica) -> None:
    lines = [{"id": 2, "created_at": second} for second in ABSURD]
    first, last = {"id": 1, "name": "a"}, {"id": 3, "name": "c"}
    fill(emulator, *({"items": [first, line, last]} for line in lines))
    report = replicate.ok("invoices")["invoices"]
    assert (report.rows, report.rejected) == (250 + len(lines), 0)
    found = replicate.query(
        "select _index, id, _extra from invoices__items order by invoice_id, _index"
    )
    places = [(index, line) for index, line, _ in found]
    assert places == [(0, 1), (1, None), (2, 3)] * len(lines)
    assert [json.loads(extra) for _, line, extra in found if line is None] == lines


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
