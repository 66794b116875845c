"""Rows of one key in order, rows in one array, and rows that rely on a record's state."""

import pytest

from invoiced_emulator.http.fault_injection import Fault
from invoiced_pipeline.exceptions import PushRefusedError
from invoiced_pipeline_tests.writeback.push_harness import LONG, PushHarness, customers, planned
from invoiced_pipeline_tests.writeback.test_exactly_once import change, issued

pytestmark = pytest.mark.everywhere

MAKES = planned("r", {"name": "A"})
NAMES = [
    planned("r", {"name": name}, action="update", method="PATCH", path="/customers/{id}")
    for name in ("B", "C")
]


def writes(pushing: PushHarness) -> list[str]:
    return [each[0] for each in pushing.emulator.requests if each[0] != "GET"]


def name_of(pushing: PushHarness) -> str:
    (record,) = pushing.emulator.store.all("customers")
    return record["name"]


def test_rows_of_one_key_are_sent_in_order(pushing: PushHarness) -> None:
    assert pushing([MAKES, *NAMES, *customers(30)]).failure is None
    first = min(pushing.emulator.store.all("customers"), key=lambda each: each["id"])
    names = {each["name"] for each in pushing.emulator.store.all("customers")}
    assert "C" in names
    assert not names & {"A", "B"}
    assert first
    assert pushing.entries()["r"].succeeded_hash == NAMES[1].payload_hash


@pytest.mark.parametrize("fault", ["lose_response", "drop_connection", "fail_after_commit"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_lost_response_keeps_the_order(pushing: PushHarness, fault: Fault, at: int) -> None:
    pushing.emulator.faults.next(fault, method="POST" if at == 0 else "PATCH", skip=max(0, at - 1))
    assert pushing([MAKES, *NAMES], waits=True).failure is None
    assert name_of(pushing) == "C"


def test_rows_behind_a_refused_one_are_not_sent(pushing: PushHarness) -> None:
    wrong = planned("r", {"email": "x"}, action="update", method="PATCH", path="/customers/{id}")
    report = pushing([MAKES, wrong, NAMES[1]])
    assert report.states == {"rejected": 1}
    assert writes(pushing) == ["POST", "PATCH"]
    assert name_of(pushing) == "A"


def array(count: int, *, batch: int = 0, start: int = 0) -> list:
    return [
        planned(f"n{at}", {"notes": f"note {at}", "customer_id": 7}, path="/notes", batch=batch)
        for at in range(start, start + count)
    ]


def test_refused_array_is_refused_for_each_row(pushing: PushHarness) -> None:
    pushing.operation = "custom"
    options = {"path": "/notes", "method": "POST"}
    report = pushing([*array(3), *array(2, batch=1, start=3)], **options)
    assert report.states == {"rejected": 5}
    assert writes(pushing) == ["POST", "POST"]
    entries = list(pushing.entries().values())
    assert len({entry.idempotency_key for entry in entries}) == 2


def test_array_whose_response_is_lost_is_unknown_for_each_row(pushing: PushHarness) -> None:
    pushing.operation = "custom"
    options = {"path": "/notes", "method": "POST"}
    pushing.emulator.faults.next("lose_response", method="POST")
    for _ in range(2):
        assert pushing(array(3), waits=True, **options).states == {"unknown": 3}
        pushing.clock.at += LONG
    assert writes(pushing) == ["POST"]


def test_custom_rows_with_one_request_each(pushing: PushHarness) -> None:
    pushing.operation = "custom"
    pushing.emulator.store.put("customers", {"id": 7, "object": "customer", "name": "A"})
    body = {"notes": "Hello", "customer_id": 7}
    rows = [planned(f"n{at}", body, path="/notes") for at in range(3)]
    assert pushing(rows, path="/notes", method="POST").failure is None
    assert pushing.emulator.store.count("notes") == 3


@pytest.mark.parametrize(("action", "draft"), [("delete", False), ("void", True)])
def test_invoice_that_changed_since_the_plan_is_not_touched(
    pushing: PushHarness, action: str, draft: bool
) -> None:
    pushing.operation = "delete_invoice"
    pushing.emulator.store.put("customers", {"id": 7, "object": "customer", "name": "A"})
    pushing.emulator.store.put("invoices", issued(1, draft=draft))
    method, path = ("DELETE", "/invoices/1") if action == "delete" else ("POST", "/invoices/1/void")
    expects = {"draft": action == "delete"}
    row = change(path, None, action=action, method=method, expects=expects)
    report = pushing([row])
    assert report.states == {"planned": 1}
    assert "nothing was sent" in (report.failure or "")
    assert writes(pushing) == []


@pytest.mark.parametrize(
    "limits", [{"active": False}, {"max_records": 2}, {"max_amount": 5}, {"max_deletes": 2}]
)
def test_plan_over_a_limit_sends_nothing(pushing: PushHarness, limits: dict) -> None:
    rows = [
        change(f"/invoices/{at}", None, action="delete", method="DELETE", amount=2)
        for at in range(3)
    ]
    with pytest.raises(PushRefusedError, match=r"nothing was sent"):
        pushing(rows, operation_name="delete_invoice", **limits)
    assert writes(pushing) == []


def test_reject_share_allows_refused_rows(pushing: PushHarness) -> None:
    rows = [*customers(9), planned("bad", {"name": ""})]
    assert "1 of 10 rows was refused" in (pushing(rows).failure or "")
    report = pushing(rows, reject_share=0.1)
    assert report.failure is None
    assert report.failures[0].record_key == "bad", "allowed, but still listed"


def test_record_that_somebody_edits_is_sent_by_the_next_push(pushing: PushHarness) -> None:
    pushing.operation = "update_customer"
    pushing.emulator.store.put("customers", {"id": 7, "object": "customer", "name": "A"})
    pushing.emulator.lock("customers", 7)
    row = change("/customers/7", {"name": "B"})
    report = pushing([row])
    assert report.states == {"planned": 1}
    assert "try again later" in (report.failure or "")
    pushing.emulator.forget()
    assert pushing([row]).failure is None
    assert name_of(pushing) == "B"
