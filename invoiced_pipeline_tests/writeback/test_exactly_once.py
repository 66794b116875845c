"""Every operation, its response lost before or after the commit: carried out once, and known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from invoiced_emulator.http.fault_injection import Fault
from invoiced_pipeline.catalog.operations import OPERATION_NAMES
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline_tests.conftest import NOW
from invoiced_pipeline_tests.writeback.push_harness import PushHarness, planned

pytestmark = pytest.mark.everywhere

CUSTOMER = {"id": 7, "object": "customer", "name": "Acme", "updated_at": NOW - 1000}
PLAN = {
    "id": "gold", "object": "plan", "name": "Gold", "internal_id": 1, "amount": 10,
    "currency": "usd", "interval": "month", "interval_count": 1, "pricing_mode": "per_unit",
    "archived": False, "updated_at": NOW - 1000,
}  # fmt: skip
LINES = [{"name": "Work", "quantity": 1, "unit_cost": 100}]


@dataclass(frozen=True)
class Case:
    """A row, and a count of what it creates or changes in the emulator."""

    operation: str
    row: PlannedRow
    count: Callable[[PushHarness], int]
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.operation


def stored(collection: str) -> Callable[[PushHarness], int]:
    return lambda pushing: pushing.emulator.store.count(collection)


def invoices_like(**fields: Any) -> Callable[[PushHarness], int]:
    def count(pushing: PushHarness) -> int:
        found = pushing.emulator.store.all("invoices")
        return sum(all(each.get(k) == v for k, v in fields.items()) for each in found)

    return count


def of_row(collection: str, path: str, body: dict[str, Any], **options: Any) -> Case:
    name = options.pop("name", "")
    operation = options.pop("operation")
    row = planned("r", body, path=path, **options)
    return Case(operation, row, stored(collection), name)


BELOW = "/customers/7"
CREATIONS = [
    of_row("customers", "/customers", {"name": "B"}, operation="create_customer"),
    of_row(
        "customers", "/customers", {"name": "B", "number": "N-1"}, operation="create_customer",
        name="create_customer with a number",
    ),
    of_row("invoices", "/invoices", {"customer": 7, "items": LINES}, operation="create_invoice"),
    of_row(
        "invoices", "/invoices", {"customer": 7, "number": "N-1", "items": LINES},
        operation="create_invoice", name="create_invoice with a number",
    ),
    of_row("payments", "/payments", {"customer": 7, "amount": 5}, operation="record_payment"),
    of_row(
        "subscriptions", "/subscriptions", {"customer": 7, "plan": "gold"},
        operation="create_subscription",
    ),
    of_row(
        "credit_notes", "/credit_notes", {"customer": 7, "items": LINES},
        operation="issue_credit_note",
    ),
    of_row("estimates", "/estimates", {"customer": 7, "items": LINES}, operation="create_estimate"),
    of_row(
        "contacts", f"{BELOW}/contacts", {"name": "Ann", "email": "Ann@Example.com"},
        operation="add_contact",
    ),
    of_row(
        "tasks", "/tasks", {"name": "Call", "action": "phone", "due_date": NOW, "customer_id": 7},
        operation="create_task",
    ),
    of_row(
        "cards", f"{BELOW}/payment_sources", {"method": "credit_card", "gateway_token": "tok_1"},
        operation="attach_payment_source",
    ),
]  # fmt: skip


def change(path: str, body: dict[str, Any] | None, **options: Any) -> PlannedRow:
    return planned("r", body, **{"action": "update", "method": "PATCH", "path": path} | options)


CHANGES = [
    Case(
        "update_customer",
        change("/customers/7", {"name": "New", "email": "New@Example.com"}),
        lambda pushing: sum(
            each["name"] == "New" for each in pushing.emulator.store.all("customers")
        ),
    ),
    Case("update_invoice", change("/invoices/1", {"notes": "New"}), invoices_like(notes="New")),
    Case(
        "delete_invoice",
        change("/invoices/2", None, action="delete", method="DELETE", expects={"draft": True}),
        lambda pushing: 2 - pushing.emulator.store.count("invoices"),
    ),
    Case(
        "delete_invoice",
        change("/invoices/1/void", None, action="void", method="POST", expects={"draft": False}),
        invoices_like(status="voided"),
        "delete_invoice of an issued one",
    ),
]


def prepare(pushing: PushHarness, case: Case) -> None:
    store = pushing.emulator.store
    store.put("customers", CUSTOMER)
    store.put("plans", PLAN)
    pushing.emulator.account.invoices_new_subscriptions = False
    if case in CHANGES:
        for at, draft in ((1, False), (2, True)):
            store.put("invoices", issued(at, draft=draft))


def issued(number: int, *, draft: bool) -> dict[str, Any]:
    status = "draft" if draft else "not_sent"
    record = {"id": number, "object": "invoice", "number": f"INV-{number}", "customer": 7}
    amounts = {"subtotal": 5, "total": 5, "balance": 5, "currency": "usd", "items": []}
    flags = {
        "draft": draft,
        "closed": False,
        "paid": False,
        "voided": False,
        "status": status,
        "notes": None,
    }
    return record | amounts | flags | {"updated_at": NOW - 1000, "created_at": NOW - 1000}


FAULTS: list[Fault] = ["lose_response", "fail_after_commit", "drop_connection", "rate5xx"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("case", [*CREATIONS, *CHANGES], ids=str)
def test_lost_response(pushing: PushHarness, case: Case, fault: Fault) -> None:
    prepare(pushing, case)
    pushing.operation = case.operation
    before = case.count(pushing)
    pushing.emulator.faults.next(fault, method=case.row.method)
    report = pushing([case.row], waits=True)
    assert report.failure is None, report.failures
    assert case.count(pushing) == before + 1
    assert pushing.states() == {"r": "succeeded"}
    assert report.verified == 1
    assert pushing([case.row]).succeeded == 0
    writes = [each for each in pushing.emulator.requests if each[0] != "GET"]
    assert len(writes) == (1 if fault in {"lose_response", "fail_after_commit"} else 2)


def test_every_operation_is_covered() -> None:
    assert {case.operation for case in [*CREATIONS, *CHANGES]} == set(OPERATION_NAMES) - {"custom"}
