"""Rejects: kept, asked for again, and gone once they fit or are deleted."""

import json
import logging
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import Column
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.replication.decode import records
from invoiced_pipeline.replication.decode.records import RecordDecoder, Reject
from invoiced_pipeline.replication.reject_limit import reject_limit
from invoiced_pipeline.replication.rejects import MOST_BY_ID, Rejects
from invoiced_pipeline_tests.conftest import NOW, Replica, invoice

DAY = 86_400
OLD = NOW - 30 * DAY
"""Before the first sync's coverage and overlap: no later sync reads it with a window."""


def put_invoices(emulator: Emulator, good: int, **bad: Any) -> None:
    """Invoices 1 to `good`, and number 1000 with a value that fits no column."""
    emulator.store.put_many("invoices", [invoice(n, OLD) for n in range(1, good + 1)])
    emulator.store.put("invoices", invoice(1000, OLD, **bad))


def rejected(replicate: Replica) -> list[tuple[Any, ...]]:
    return replicate.query("select table_name, id, reason from _rejected order by 1, 2, 3")


def asked_by_id(emulator: Emulator) -> list[str]:
    asked = [query["filter"]["id"] for _, _, query, _ in emulator.requests if "filter" in query]
    emulator.forget()
    return asked


def test_a_reject_is_kept_and_the_table_is_complete(
    emulator: Emulator, replicate: Replica, caplog: pytest.LogCaptureFixture
) -> None:
    put_invoices(emulator, 150, paid=7, notes="kept")
    report = replicate.ok("invoices")["invoices"]
    assert (report.rows, report.rejected, report.alarm) == (150, 1, None)
    assert report.coverage.until is not None
    assert len(replicate.ids("invoices")) == 150
    (row,) = replicate.rows("_rejected")
    assert (row["table_name"], row["id"]) == ("invoices", "1000")
    assert row["reason"] == "paid: 7 is no boolean"
    assert json.loads(row["record"])["notes"] == "kept"
    assert row["first_seen_at"] == row["last_seen_at"] is not None
    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert warnings == [
        "invoices: 1 record fits no column, kept in _rejected and asked for again in every sync"
    ]

    # Every sync asks for it by its id, and it stays until it fits.
    emulator.forget()
    emulator.clock.advance(DAY)
    again = replicate.ok("invoices")["invoices"]
    assert (again.rows, again.rejected) == (0, 1)
    assert asked_by_id(emulator) == ["1000"]
    (later,) = replicate.rows("_rejected")
    assert later["first_seen_at"] == row["first_seen_at"]

    # Corrected without a new `updated_at`: no window shows it.
    emulator.store.put("invoices", invoice(1000, OLD, paid=True))
    healed = replicate.ok("invoices")["invoices"]
    assert (healed.rows, healed.rejected) == (1, 0)
    assert rejected(replicate) == []
    assert replicate.query("select paid from invoices where id = 1000") == [(True,)]
    emulator.forget()
    replicate.ok("invoices")
    assert asked_by_id(emulator) == []


@pytest.mark.parametrize("table", ["estimates", "plans", "credit_balance_adjustments"])
def test_every_kind_of_list_is_asked_again(
    emulator: Emulator, replicate: Replica, table: str
) -> None:
    key = "gold" if table == "plans" else 5
    field = {"estimates": "total", "plans": "interval_count"}.get(table, "amount")
    emulator.store.put(table, {"id": key, "updated_at": OLD, field: "none"})
    assert replicate.ok(table)[table].rejected == 1
    assert rejected(replicate) == [(table, str(key), f'{field}: "none" is no ' + _type(table))]
    emulator.store.put(table, {"id": key, "updated_at": OLD, field: 3})
    replicate.ok(table)
    assert rejected(replicate) == []
    assert replicate.query(f"select id, {field} from {table}") == [(key, 3)]


def _type(table: str) -> str:
    return "bigint" if table == "plans" else "decimal"


@pytest.mark.parametrize("table", ["invoices", "estimates"])
def test_a_reject_that_is_deleted_leaves(
    emulator: Emulator, replicate: Replica, table: str
) -> None:
    emulator.store.put(table, {"id": 1, "updated_at": OLD, "total": "none"})
    replicate.ok(table)
    emulator.store.remove(table, 1)
    assert replicate.ok(table)[table].rejected == 0
    assert rejected(replicate) == []
    assert replicate.ids(table) == []


def test_a_reject_read_with_its_window_is_not_asked_for_again(
    emulator: Emulator, replicate: Replica
) -> None:
    put_invoices(emulator, 1, paid=7)
    replicate.ok("invoices")
    emulator.forget()
    emulator.store.put("invoices", invoice(1000, emulator.clock.advance(DAY) - 60, paid=True))
    replicate.ok("invoices")
    assert asked_by_id(emulator) == []
    assert rejected(replicate) == []
    assert replicate.ids("invoices") == [1, 1000]


def test_a_row_stays_as_it_was_while_its_newer_version_is_rejected(
    emulator: Emulator, replicate: Replica
) -> None:
    emulator.store.put("invoices", invoice(1, OLD, notes="before"))
    replicate.ok("invoices")
    changed = emulator.clock.advance(DAY) - 60
    emulator.store.put("invoices", invoice(1, changed, notes="after", total=[1]))
    replicate.ok("invoices")
    assert replicate.query("select notes from invoices") == [("before",)]
    assert rejected(replicate) == [("invoices", "1", "total: [1] is no decimal")]


def test_a_reject_that_a_new_version_can_type_leaves(
    emulator: Emulator, replicate: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_invoices(emulator, 1, paid=7)
    replicate.ok("invoices")
    assert len(rejected(replicate)) == 1
    monkeypatch.setitem(records._COERCIONS, "boolean", lambda *_: (True, False))
    replicate.ok("invoices")
    assert rejected(replicate) == []
    assert replicate.query("select paid from invoices where id = 1000") == [(True,)]


@pytest.mark.parametrize(("share", "fails"), [(0.01, True), (0.25, False)])
def test_rejects_above_the_share_fail_the_run_after_the_load(
    emulator: Emulator, replicate: Replica, share: float, fails: bool
) -> None:
    put_invoices(emulator, 3, paid=7)
    report = replicate.ok("invoices", reject_share=share)["invoices"]
    assert bool(report.alarm) == fails
    assert replicate.ids("invoices") == [1, 2, 3]
    assert report.coverage.until is not None  # no window needs to be read again
    if report.alarm:
        assert "1 of 4 records fits no column" in report.alarm
        assert "id 1000, paid: 7 is no boolean" in report.alarm
    # The next sync reads nothing new, and does not fail because of one known reject.
    emulator.clock.advance(DAY)
    assert replicate.ok("invoices", reject_share=share)["invoices"].alarm is None


@pytest.mark.everywhere
def test_a_load_that_dies_between_two_tables_keeps_all_rejects(
    emulator: Emulator, replicate: Replica, sql_client: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_invoices(emulator, 1, paid=7)
    replicate.ok("invoices")
    emulator.store.put("invoices", invoice(1000, OLD, paid=True))
    execute_many = sql_client.execute_many

    def fail(self: Any, statements: Any, *args: Any, **kwargs: Any) -> Any:
        if any("DELETE FROM" in text and '"invoices"' in text for text in statements):
            message = "killed here"
            raise OSError(message)
        return execute_many(self, statements, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(sql_client, "execute_many", fail)
        with pytest.raises(WarehouseError, match="killed here"):
            replicate("invoices")
    assert replicate.ids("invoices") == [1]
    replicate.ok("invoices")
    assert replicate.ids("invoices") == [1, 1000]
    assert rejected(replicate) == []


def test_an_error_during_the_retry_keeps_the_reject(emulator: Emulator, replicate: Replica) -> None:
    put_invoices(emulator, 1, paid=7)
    covered = replicate.ok("invoices")["invoices"].coverage
    emulator.clock.advance(DAY)
    emulator.faults.next("rate5xx", count=4, skip=1, path="/invoices")
    failed = replicate("invoices")["invoices"]
    assert failed.error is not None
    assert failed.coverage == covered
    assert len(rejected(replicate)) == 1
    emulator.store.put("invoices", invoice(1000, OLD))
    replicate.ok("invoices")
    assert rejected(replicate) == []


def test_a_new_field_is_announced_once(
    emulator: Emulator, replicate: Replica, caplog: pytest.LogCaptureFixture
) -> None:
    def announced() -> list[str]:
        messages = [each.getMessage() for each in caplog.records]
        said = [each for each in messages if "fields without a column" in each]
        caplog.clear()
        return said

    lines = [{"name": "x", "colour": "secret red"}]
    emulator.store.put("invoices", invoice(1, OLD, brand_new="secret", items=lines))
    replicate.ok("invoices")
    (said,) = announced()
    assert "invoices: " in said
    assert "brand_new, items.colour." in said
    assert "secret" not in said
    replicate.ok("invoices", mode="full")
    assert announced() == []
    emulator.store.put("invoices", invoice(2, OLD, brand_new=1, another=2))
    replicate.ok("invoices", mode="full")
    (said,) = announced()
    assert "without a column: another." in said


def test_reasons_show_no_sensitive_value() -> None:
    columns = [
        Column("id", "bigint", "Key."),
        Column("limit", "decimal", "Shown to nobody.", sensitive=True),
    ]
    decoder = RecordDecoder("x", columns, key="id")
    _, (found,) = decoder.decode(b'[{"id": 1, "limit": "Ann Smith"}]')
    assert found.reason == "limit: a personal value is no decimal"
    assert b"Ann Smith" in found.record


def reject(number: int) -> Reject:
    return Reject(str(number), "total: x is no decimal", json.dumps({"id": number}).encode())


def test_too_many_rejects_are_read_again_with_their_window() -> None:
    rejects = Rejects("invoices", [])
    rejects.meet(map(reject, range(MOST_BY_ID)))
    assert reject_limit(rejects, 10**6, 0.01).error is None
    rejects.meet([reject(MOST_BY_ID)])
    limit = reject_limit(rejects, 10**6, 0.01)
    assert limit.error is not None
    assert "read again with their window" in limit.error


def test_rejects_are_asked_for_in_turn() -> None:
    rejects = Rejects("invoices", [(str(number), 1) for number in range(MOST_BY_ID + 2)])
    due = rejects.due()
    assert len(due) == MOST_BY_ID
    rejects.meet(map(reject, range(MOST_BY_ID)))
    rejects.leave(due)
    left = Rejects("invoices", rejects.remembered())
    assert left.due()[:3] == [str(MOST_BY_ID), str(MOST_BY_ID + 1), "0"]


def test_records_without_id_are_kept_by_their_content() -> None:
    nameless = Reject("null", "id is missing", b'{"name": "x"}')
    rejects = Rejects("invoices", [])
    rejects.meet([nameless, nameless, Reject("null", "id is missing", b'{"name": "y"}')])
    assert rejects.nameless == 2
    assert reject_limit(rejects, 100, 1.0).error is not None
    later = Rejects("invoices", rejects.remembered())
    assert later.due() == []
    later.meet([nameless])
    later.forget_nameless()
    assert len(later.remembered()) == 1
