"""Each operation against the emulated API: it takes what we send, and refuses what we stop."""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import invoiced
import msgspec
import pytest
import requests
from pydantic import SecretStr

from invoiced_emulator.protocol.clock import Clock
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog.operations import OPERATION_NAMES, operation
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.invoiced.http.writer import InvoicedWriter, WriteRequest, WriteResult
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline_tests.conftest import NOW, SHORT_RETRIES, Replica
from invoiced_pipeline_tests.warehouses import lasting_warehouse
from invoiced_pipeline_tests.writeback.plans import planned

DRAFTS, ISSUED, CUSTOMER = (1, 3, 5, 7), 9, 1
DRAFT = DRAFTS[0]
LINES = [{"name": "Consulting", "quantity": 2, "unit_cost": 99.5}]

GOOD: dict[str, dict[str, Any]] = {
    "create_customer": {"name": "Acme", "email": "Pay@Acme.example", "number": "C-9"},
    "attach_payment_source": {"customer": CUSTOMER, "gateway_token": "tok_1", "make_default": True},
    "create_invoice": {"customer": CUSTOMER, "items": LINES, "payment_terms": "NET 30"},
    "record_payment": {
        "customer": CUSTOMER,
        "amount": 50,
        "applied_to": [{"type": "invoice", "invoice": ISSUED, "amount": 50}],
    },
    "create_subscription": {"customer": CUSTOMER, "plan": "gold", "quantity": 2},
    "update_customer": {"id": CUSTOMER, "phone": "555-0100"},
    "update_invoice": {"id": ISSUED, "purchase_order": "PO 1"},
    "issue_credit_note": {"customer": CUSTOMER, "items": LINES},
    "add_contact": {"customer": CUSTOMER, "name": "Ann", "email": "ann@acme.example"},
    "create_estimate": {"customer": CUSTOMER, "items": LINES},
    "create_task": {"name": "Call", "action": "phone", "due_date": NOW, "customer_id": CUSTOMER},
    "delete_invoice": {"id": DRAFT},
    "custom": {"customer_id": CUSTOMER, "notes": "Called"},
}
GOOD_KEYS: dict[str, dict[str, Any]] = {
    "create_customer": {"name": "Acme", "email": "pay@acme.example"},
    "attach_payment_source": {"gateway_id": "tok_1", "customer_id": CUSTOMER},
    "create_invoice": {"customer": CUSTOMER, "total": 199, "payment_terms": "NET 30"},
    "record_payment": {"customer": CUSTOMER, "amount": 50, "balance": 0},
    "create_subscription": {"customer": CUSTOMER, "plan": "gold", "quantity": 2},
    "update_customer": {"id": CUSTOMER, "phone": "555-0100"},
    "update_invoice": {"id": ISSUED, "purchase_order": "PO 1"},
    "issue_credit_note": {"customer": CUSTOMER, "total": 199},
    "add_contact": {"customer": CUSTOMER, "name": "Ann", "email": "ann@acme.example"},
    "create_estimate": {"customer": CUSTOMER, "total": 199},
    "create_task": {"name": "Call", "action": "phone", "due_date": NOW, "customer_id": CUSTOMER},
    "delete_invoice": {},
    "custom": {"customer_id": CUSTOMER, "notes": "Called"},
}
CUSTOM = {"method": "POST", "path": "/notes", "batch_size": 1}


@dataclass(frozen=True)
class Account:
    """An account with a customer, a plan and two invoices, replicated."""

    emulator: Emulator
    client: InvoicedClient
    database: Database
    counter: Iterator[int] = field(default_factory=count)
    deleted: Iterator[int] = field(default_factory=count)

    def replicate(self, *tables: str) -> None:
        Replica(self.emulator.url, self.emulator.api_key, self.database).ok(*tables)

    def plan(self, operation: str, row: dict[str, Any], **settings: Any) -> PlannedRow:
        own = CUSTOM if operation == "custom" else {}
        return planned(self.database, operation, row, **{"allow_deletes": True, **own, **settings})

    def send(self, method: Any, path: str, body: Any = None) -> WriteResult:
        content = None if body is None else encode_body(body)
        return InvoicedWriter(self.client).send(
            WriteRequest(method=method, path=path, body=content)
        )

    def send_unchecked(self, name: str, row: dict[str, Any]) -> WriteResult:
        """The request of a row that was not looked at."""
        of = operation(name)
        path = of.path
        for parameter in of.parameters:
            path = path.replace(f"{{{parameter.name}}}", str(row.get(parameter.name)))
        names = {parameter.name for parameter in of.parameters}
        return self.send(of.method, path, {k: v for k, v in row.items() if k not in names})

    def record(self, path: str) -> Any:
        body = self.client.record(path, ())
        return None if body is None else msgspec.json.decode(body)


@contextmanager
def replicated_account(folder: Path) -> Iterator[Account]:
    """A new account in which the tests' records exist, and its replica."""
    with Emulator(clock=Clock(NOW)) as emulator:
        database = lasting_warehouse(folder)
        client = InvoicedClient(
            emulator.url, SecretStr(emulator.api_key), retry_policy=SHORT_RETRIES
        )
        account = Account(emulator, client, database)
        plan = {"id": "gold", "name": "Gold", "amount": 5, "currency": "usd"}
        invoice = {"object": "invoice", "customer": CUSTOMER, "items": LINES}
        for path, body in (
            ("/customers", {"name": "First"}),
            ("/plans", plan | {"interval": "month", "interval_count": 1}),
            *[("/invoices", invoice | {"draft": True}) for _ in DRAFTS],
            ("/invoices", invoice),
        ):
            answer = account.send("POST", path, body)
            assert answer.kind == "succeeded", answer.message
        account.replicate("customers", "plans", "invoices")
        assert account.record(f"/invoices/{DRAFTS[-1]}")["draft"]
        assert not account.record(f"/invoices/{ISSUED}")["draft"]
        yield account
        client.close()


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account for tests that do not disturb each other."""
    with replicated_account(tmp_path_factory.mktemp("account")) as account:
        yield account


@pytest.fixture
def own_account(tmp_path: Path) -> Iterator[Account]:
    """An account for one test."""
    with replicated_account(tmp_path) as account:
        yield account


@pytest.fixture
def good(account: Account) -> Callable[[str], dict[str, Any]]:
    """A good row of an operation; no two have the same number, or delete the same invoice."""

    def row(name: str) -> dict[str, Any]:
        own: dict[str, Any] = {}
        if name == "create_customer":
            own = {"number": f"C-{next(account.counter)}"}
        if name == "delete_invoice":
            own = {"id": DRAFTS[next(account.deleted)]}
        return copy.deepcopy({**GOOD[name], **own})

    return row


@pytest.mark.parametrize("name", OPERATION_NAMES)
def test_what_is_planned_is_what_the_api_takes(
    account: Account, good: Callable[[str], dict[str, Any]], name: str
) -> None:
    row = account.plan(name, good(name))
    assert row.is_sent, row.reason
    answer = account.send(row.method, row.path, row.body)
    assert answer.kind == "succeeded", answer.message
    assert answer.status in operation(name).success


@pytest.mark.parametrize("name", [name for name in OPERATION_NAMES if GOOD_KEYS[name]])
def test_no_value_is_lost_on_the_way(
    account: Account, good: Callable[[str], dict[str, Any]], name: str
) -> None:
    """The record that comes back holds whatever was asked for."""
    row = account.plan(name, good(name))
    record = msgspec.json.decode(account.send(row.method, row.path, row.body).body)
    assert {key: record[key] for key in GOOD_KEYS[name]} == GOOD_KEYS[name]


REFUSED = [
    ("create_customer", {"name": None}, "name is missing", "Name is missing"),
    ("create_customer", {"name": "x" * 256}, "has 256 characters", "between 1 and 255"),
    (
        "create_customer",
        {"email": "acme"},
        "not an email address",
        "must be a valid email address",
    ),
    ("create_customer", {"type": "club"}, "may be company, government", "allowed values"),
    ("create_customer", {"country": "XX"}, "not a two-letter country", "Country is invalid"),
    (
        "create_customer",
        {"currency": "xyz"},
        "not a currency code",
        "Invalid currency code: xyz",
    ),
    ("create_customer", {"parent_customer": 99}, "no customer 99 in", "No such customer: 99"),
    ("create_customer", {"created_at": 1}, "is read-only", "Mass assignment of created_at"),
    ("create_customer", {"credit_balance": 1}, "is read-only", "Mass assignment"),
    ("create_customer", {"metadata": {str(n): "x" for n in range(11)}}, "11 keys", "up to 10"),
    ("create_customer", {"metadata": {"k" * 41: 1}}, "at most 40", "exceeds the 40 character"),
    ("create_customer", {"metadata": {"k": "v" * 256}}, "at most 255", "255 character limit"),
    ("create_customer", {"credit_limit": "much"}, "must be a number", "only allows numbers"),
    ("update_customer", {"name": ""}, "name is empty", "between 1 and 255"),
    ("update_customer", {"updated_at": 1}, "is read-only", "Mass assignment of updated_at"),
    ("update_customer", {"id": 99}, "no customer 99", "Customer was not found: 99"),
    ("add_contact", {"name": None}, "name is missing", "Name is missing"),
    ("add_contact", {"email": "ann"}, "not an email address", "valid email address"),
    ("add_contact", {"customer": 99}, "no customer 99", "Customer was not found: 99"),
    ("add_contact", {"nickname": "A"}, "the API refuses it", "option 'nickname' does not exist"),
    ("attach_payment_source", {"gateway_token": None}, "exactly one of", "Exactly one of"),
    ("attach_payment_source", {"invoiced_token": "t"}, "exactly one of", "Exactly one of"),
    ("create_invoice", {"customer": None}, "customer is missing", "Customer missing"),
    ("create_invoice", {"customer": 99}, "no customer 99", "No such customer: 99"),
    ("create_invoice", {"currency": "xyz"}, "not a currency code", "Invalid currency code"),
    ("create_invoice", {"number": "n" * 33}, "33 characters", "between 1 and 32"),
    ("create_invoice", {"date": "soon"}, "must be a date", "only allows timestamps"),
    ("create_invoice", {"balance": 1}, "is read-only", "Mass assignment of balance on Invoice"),
    ("create_invoice", {"items": [{"quantity": "two"}]}, "items[0].quantity", "allows numbers"),
    ("update_invoice", {"customer": 2}, "no customer 2", "customer cannot be modified"),
    ("update_invoice", {"draft": True}, "is issued", "has already been issued"),
    ("update_invoice", {"total": 1}, "is read-only", "Mass assignment of total"),
    ("issue_credit_note", {"customer": None}, "customer or invoice is missing", "missing"),
    ("issue_credit_note", {"invoice": 99}, "no invoice 99", "No such invoice: 99"),
    ("issue_credit_note", {"paid": True}, "is read-only", "Mass assignment of paid"),
    ("create_estimate", {"customer": None}, "customer is missing", "Customer missing"),
    ("create_estimate", {"approved": "i" * 11}, "11 characters", "between 1 and 10"),
    ("create_estimate", {"deposit": "x"}, "must be a number", "only allows numbers"),
    ("record_payment", {"amount": None}, "amount is missing", "is missing"),
    ("record_payment", {"amount": -1}, "cannot be less than 0", "cannot be less than 0"),
    ("record_payment", {"customer": 99}, "no customer 99", "No such customer: 99"),
    ("record_payment", {"invoice": 2}, "put it into applied_to", "option 'invoice' does not"),
    ("record_payment", {"memo": "x"}, "has no field memo", "option 'memo' does not exist"),
    ("record_payment", {"amount": 10}, "adds up to 50", "Total amount applied (50 USD)"),
    (
        "record_payment",
        {"applied_to": [{"type": "invoice", "invoice": 99, "amount": 1}]},
        "no invoice 99",
        "Could not find invoice: 99",
    ),
    (
        "record_payment",
        {"applied_to": [{"type": "gift", "amount": 1}]},
        "may be invoice",
        "Unrecognized split type: gift",
    ),
    (
        "record_payment",
        {"applied_to": [{"type": "invoice", "invoice": ISSUED, "amount": 0}]},
        "must be above 0",
        "must be greater than 0",
    ),
    ("create_subscription", {"customer": None}, "customer is missing", "Customer missing"),
    ("create_subscription", {"plan": None}, "plan is missing", "Plan missing"),
    ("create_subscription", {"plan": "lead"}, "no plan lead", "No such plan: lead"),
    ("create_subscription", {"amount": 5}, "leave out amount", "Amounts are only allowed"),
    ("create_subscription", {"bill_in": "x"}, "may be advance", "allowed values"),
    ("create_task", {"name": None}, "name is missing", "Name is missing"),
    ("create_task", {"action": None}, "action is missing", "Action is missing"),
    ("create_task", {"due_date": None}, "due_date is missing", "Due Date is missing"),
    ("create_task", {"customer": 1}, "call it customer_id", "option 'customer' does not exist"),
    ("create_task", {"invoice": 2}, "cannot carry an invoice", "option 'invoice' does not"),
    ("create_task", {"customer_id": 99}, "no customer 99", "No such customer: 99"),
    ("delete_invoice", {"id": 99}, "no invoice 99", "Invoice was not found: 99"),
]


@pytest.mark.parametrize(("name", "change", "reason", "message"), REFUSED)
def test_what_the_api_refuses_is_not_sent(
    account: Account, name: str, change: dict[str, Any], reason: str, message: str
) -> None:
    """The row is invalid, with a reason of ours; the API's own refusal shows that it is right."""
    wrong = {**GOOD[name], **change}
    row = account.plan(name, wrong)
    assert row.action == "invalid"
    assert reason in (row.reason or "")
    assert (row.method, row.path, row.body) == ("", "", None)
    answer = account.send_unchecked(name, {k: v for k, v in wrong.items() if v is not None})
    assert answer.kind == "refused"
    assert message in (answer.message or "")


@pytest.mark.parametrize(
    "name", ["create_customer", "update_customer", "create_invoice", "update_invoice",
             "issue_credit_note", "create_estimate", "create_subscription"],
)  # fmt: skip
def test_what_the_api_drops_without_a_word_is_not_sent(account: Account, name: str) -> None:
    wrong = {**GOOD[name], "favourite_colour": "blue"}
    row = account.plan(name, wrong)
    assert row.action == "invalid"
    assert "would silently drop it" in (row.reason or "")
    assert row.reason_param == "favourite_colour"
    answer = account.send_unchecked(name, wrong)
    assert answer.kind == "succeeded"
    assert b"blue" not in answer.body


def test_a_draft_is_deleted_and_an_issued_invoice_voided(own_account: Account) -> None:
    account = own_account
    for invoice, action in ((DRAFT, "delete"), (ISSUED, "void")):
        row = account.plan("delete_invoice", {"id": invoice})
        assert row.action == action
        assert row.expects == {"draft": action == "delete"}
        assert account.send(row.method, row.path, row.body).kind == "succeeded"
    assert account.record(f"/invoices/{DRAFT}") is None
    assert account.record(f"/invoices/{ISSUED}")["status"] == "voided"


def test_nothing_is_deleted_without_permission(account: Account) -> None:
    row = account.plan("delete_invoice", {"id": DRAFT}, allow_deletes=False)
    assert row.action == "invalid"
    assert "allow_deletes = true" in (row.reason or "")


def test_paid_and_voided_invoices_are_left_alone(own_account: Account) -> None:
    account = own_account
    split = {"type": "invoice", "invoice": ISSUED, "amount": 199}
    account.send("POST", "/payments", {"customer": 1, "amount": 199, "applied_to": [split]})
    account.send("POST", f"/invoices/{DRAFT}/void")
    account.replicate("invoices")
    paid = account.plan("update_invoice", {"id": ISSUED, "notes": "x"})
    assert (paid.action, paid.reason_param) == ("invalid", "closed")
    assert "paid and therefore closed" in (paid.reason or "")
    assert "is closed" in (
        account.send("PATCH", f"/invoices/{ISSUED}", {"notes": "x"}).message or ""
    )
    reopened = account.plan("update_invoice", {"id": ISSUED, "notes": "x", "closed": False})
    assert reopened.action == "update"
    assert account.send(reopened.method, reopened.path, reopened.body).kind == "succeeded"
    voided = account.plan("update_invoice", {"id": DRAFT, "notes": "x"})
    assert "is voided" in (voided.reason or "")
    split = {"type": "invoice", "invoice": DRAFT, "amount": 1}
    payment = account.plan("record_payment", {"amount": 1, "applied_to": [split]})
    assert "is voided" in (payment.reason or "")
    assert account.plan("delete_invoice", {"id": DRAFT}).action == "unchanged"
    assert "is paid" in (account.plan("delete_invoice", {"id": ISSUED}).reason or "")
    assert account.send("POST", f"/invoices/{ISSUED}/void").kind == "refused"


def _sdk_calls(sdk: invoiced.Client) -> dict[str, Callable[..., Any]]:
    """How the official SDK does each operation, given the columns of a row."""

    def customer(values: dict[str, Any]) -> Any:
        return sdk.Customer.retrieve(values.pop("customer"))

    def changed(record: Any, values: dict[str, Any]) -> Any:
        values.pop("id")
        return record.save(**values)

    return {
        "create_customer": lambda row: sdk.Customer.create(**row),
        "attach_payment_source": lambda row: customer(row).payment_sources().create(**row),
        "create_invoice": lambda row: sdk.Invoice.create(**row),
        "record_payment": lambda row: sdk.Payment.create(**row),
        "create_subscription": lambda row: sdk.Subscription.create(**row),
        "update_customer": lambda row: changed(sdk.Customer.retrieve(row["id"]), row),
        "update_invoice": lambda row: changed(sdk.Invoice.retrieve(row["id"]), row),
        "issue_credit_note": lambda row: sdk.CreditNote.create(**row),
        "add_contact": lambda row: customer(row).contacts().create(**row),
        "create_estimate": lambda row: sdk.Estimate.create(**row),
        "create_task": lambda row: sdk.Task.create(**row),
        "delete_invoice": lambda row: sdk.Invoice.retrieve(row["id"]).delete(),
        "custom": lambda row: sdk.Note.create(**row),
    }


@pytest.mark.parametrize("name", OPERATION_NAMES)
def test_requests_are_those_of_the_official_sdk(
    account: Account,
    good: Callable[[str], dict[str, Any]],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[str, str, Any]] = []
    really = requests.request

    def request(method: str, url: str, **options: Any) -> Any:
        body = options.get("data")
        sent.append((method, url.removeprefix(account.emulator.url), body and json.loads(body)))
        return really(method, url, **options)

    monkeypatch.setattr("invoiced.client.requests.request", request)
    monkeypatch.setattr(invoiced.Client, "ApiBase", account.emulator.url)
    values = good(name)
    row = account.plan(name, values)
    _sdk_calls(invoiced.Client(account.emulator.api_key))[name](values)
    ours = json.loads(encode_body(row.body)) if row.body is not None else None
    assert sent[-1] == (row.method, row.path, ours)
