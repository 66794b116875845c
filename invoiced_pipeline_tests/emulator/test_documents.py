"""Invoices, credit notes and estimates: totals, statuses, errors, voids and events."""

from decimal import Decimal

import pytest

NOT_VOIDABLE = "This {} cannot be voided because {}."
CLOSED = (
    "Your changes cannot be saved because this document is closed. "
    "Please re-open the document to make any changes."
)


@pytest.fixture
def customer(api):
    api.emulator.store.put(
        "customers",
        {"id": 1, "object": "customer", "name": "A", "number": "CUST-1", "payment_terms": "NET 14"},
    )
    api.emulator.store.put("coupons", {"id": "five", "value": 5, "is_percent": True})
    api.emulator.store.put(
        "tax_rates", {"id": "vat", "value": 5, "is_percent": True, "inclusive": False}
    )
    api.emulator.store.put(
        "tax_rates", {"id": "incl", "value": 20, "is_percent": True, "inclusive": True}
    )
    return 1


def line(cost, quantity=1, **more):
    return {"name": "Thing", "quantity": quantity, "unit_cost": cost} | more


def invoice(api, **body):
    return api.ok("POST", "/invoices", {"customer": 1, "items": [line(100)]} | body)


def test_totals_of_the_documented_example(api, customer):
    made = invoice(
        api,
        items=[
            line(Decimal("105.26"), discounts=["five"]),
            line(1, Decimal("12.045")),
            line(10, -1),
        ],
        discounts=["five"],
        taxes=["vat"],
    )
    assert made["subtotal"] == Decimal("107.31")
    assert [item["amount"] for item in made["items"]] == [
        Decimal("105.26"),
        Decimal("12.05"),
        Decimal("-10"),
    ]
    assert made["items"][0]["discounts"][0]["amount"] == Decimal("5.26")
    assert made["discounts"][0]["amount"] == Decimal("5.1")
    assert made["taxes"][0]["amount"] == Decimal("4.85")
    assert made["total"] == made["balance"] == Decimal("101.8")


@pytest.mark.parametrize(
    ("currency", "cost", "subtotal", "tax", "total"),
    [
        ("jpy", Decimal("100.5"), 101, 5, 106),
        ("kwd", Decimal("1.2345"), Decimal("1.235"), Decimal("0.062"), Decimal("1.297")),
        ("usd", Decimal("-1.005"), Decimal("-1.01"), Decimal("-0.05"), None),
        ("usd", Decimal("0.1"), Decimal("0.1"), Decimal("0.01"), Decimal("0.11")),
    ],
)
def test_amounts_follow_the_currency(api, customer, *, currency, cost, subtotal, tax, total):
    body = {"customer": 1, "currency": currency, "items": [line(cost)], "taxes": ["vat"]}
    if total is None:
        assert api.error("POST", "/invoices", body) == (400, "Total is invalid", "total")
        return
    made = api.ok("POST", "/invoices", body)
    assert (made["subtotal"], made["taxes"][0]["amount"], made["total"]) == (subtotal, tax, total)


def test_flat_rates_exclusions_and_unknown_rates(api, customer):
    made = invoice(
        api,
        items=[line(100), line(50, discountable=False), line(30, taxable=False)],
        discounts=["five", "unknown"],
        taxes=["vat", {"amount": 1}],
    )
    assert [each["amount"] for each in made["discounts"]] == [Decimal("6.5")]
    assert [each["amount"] for each in made["taxes"]] == [Decimal("7.18"), 1]
    assert made["total"] == Decimal("180") - Decimal("6.5") + Decimal("8.18")
    assert invoice(api, discount=10, tax=3)["total"] == 93


def test_inclusive_tax_is_taken_out_of_the_amount(api, customer):
    made = invoice(api, items=[line(100, taxes=["incl"])])
    assert made["items"][0]["taxes"][0]["amount"] == Decimal("16.67")
    assert (made["subtotal"], made["total"]) == (Decimal("83.33"), 100)


def test_defaults(api, customer):
    made = invoice(api, metadata={"a": 1})
    now = api.emulator.clock.now()
    assert (
        made
        | {
            "number": "INV-00001",
            "name": "Invoice",
            "currency": "usd",
            "date": now,
            "draft": False,
            "due_date": now + 14 * 86400,
            "payment_terms": "NET 14",
            "status": "not_sent",
            "closed": False,
            "paid": False,
            "metadata": {"a": 1},
            "object": "invoice",
        }
        == made
    )
    assert made["payment_url"].endswith("/payment")
    hidden = api.ok("GET", f"/invoices/{made['id']}?include=amount_paid,voided")
    assert (hidden["amount_paid"], hidden["voided"]) == (0, False)
    assert invoice(api)["number"] == "INV-00002"


def test_invoice_over_zero_is_paid(api, customer):
    made = invoice(api, items=[])
    assert (made["paid"], made["closed"], made["status"]) == (True, True, "paid")
    assert made["payment_url"] is None
    assert [event["type"] for event in api.events()] == ["invoice.created"]


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        ({}, "Customer missing", "customer"),
        ({"customer": 9}, "No such customer: 9", "customer"),
        ({"customer": 2}, "This cannot be created because the customer is inactive", "customer"),
        (
            {"customer": 3},
            "New invoices cannot be created for this account because it has a credit hold.",
            "total",
        ),
        (
            {"customer": 4, "items": [line(150)]},
            "This invoice cannot be created because the new amount outstanding (150 USD) exceeds "
            "the account's credit limit (100 USD).",
            "total",
        ),
        ({"customer": 1, "items": [line(-5)]}, "Total is invalid", "total"),
        ({"customer": 1, "currency": "x"}, "Invalid currency code: x", None),
        ({"customer": 1, "currency": ""}, "The currency cannot be unset.", "currency"),
        ({"customer": 1, "subscription": 9}, "Subscription was not found: 9", None),
        ({"customer": 1, "paid": True}, "Mass assignment of paid on Invoice is not allowed", None),
        (
            {"customer": 1, "items": [{"id": 5}]},
            "Referenced line item that does not exist: 5",
            "items",
        ),
        (
            {"customer": 1, "number": "TAKEN"},
            "The given invoice number has already been taken: TAKEN",
            "number",
        ),
        (
            {"customer": 1, "purchase_order": "x" * 33},
            "Purchase Order must be a string between 1 and 32 characters.",
            "purchase_order",
        ),
    ],
)
def test_refused_invoices(api, customer, *, body, message, param):
    store = api.emulator.store
    store.put("customers", {"id": 2, "name": "B", "active": False})
    store.put("customers", {"id": 3, "name": "C", "credit_hold": True})
    store.put("customers", {"id": 4, "name": "D", "credit_limit": 100})
    store.put("invoices", {"id": 70, "number": "TAKEN", "customer": 1})
    assert api.error("POST", "/invoices", body) == (400, message, param)
    assert store.count("invoices") == 1


def test_same_tax_on_line_and_subtotal(api, customer):
    body = {"customer": 1, "items": [line(5, taxes=["vat"])], "taxes": ["vat"]}
    status, message, param = api.error("POST", "/invoices", body)
    assert (status, param) == (400, "items")
    assert message.startswith(
        "This document cannot be saved because a tax rate (ID: vat) is being applied to a line "
        "item and the subtotal. "
    )


def test_lines_are_updated_added_and_removed(api, customer):
    made = invoice(api, items=[line(10), line(20)])
    first, second = (item["id"] for item in made["items"])
    path = f"/invoices/{made['id']}"
    assert api.ok("PATCH", path, {"notes": "x"})["items"] == made["items"]
    changed = api.ok("PATCH", path, {"items": [{"id": second, "quantity": 2}, line(5)]})
    assert changed["items"][0]["id"] == second
    assert first not in [item["id"] for item in changed["items"]]
    assert changed["total"] == 45
    previous = api.events("invoice.updated")[-1]["data"]["previous"]
    assert (previous["total"], previous["balance"]) == (30, 30)


@pytest.mark.parametrize(
    ("stored", "body", "message", "param"),
    [
        (
            {"voided": True},
            {"notes": "x"},
            "Your changes cannot be saved because this document is voided.",
            "voided",
        ),
        ({"closed": True}, {"metadata": {}}, CLOSED, "closed"),
        (
            {},
            {"draft": True},
            "Cannot save as a draft because the document has already been issued.",
            "draft",
        ),
        (
            {},
            {"customer": 2},
            "Invalid request parameter `customer`. The customer cannot be modified.",
            "customer",
        ),
    ],
)
def test_refused_changes(api, customer, *, stored, body, message, param):
    made = invoice(api)
    record = api.emulator.store.get("invoices", made["id"])
    api.emulator.store.put("invoices", record | stored)
    assert api.error("PATCH", f"/invoices/{made['id']}", body) == (400, message, param)


def test_closed_invoice_can_be_reopened(api, customer):
    made = invoice(api, items=[])
    changed = api.ok("PATCH", f"/invoices/{made['id']}", {"closed": False, "notes": "x"})
    assert (changed["closed"], changed["paid"]) == (False, True)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"draft": True}, "draft"),
        ({"sent": True}, "sent"),
        ({"due_date": 1}, "past_due"),
        ({"due_date": 1, "sent": True}, "past_due"),
        ({}, "not_sent"),
    ],
)
def test_statuses(api, customer, changes, status):
    assert invoice(api, **changes)["status"] == status


@pytest.mark.parametrize("collection", ["invoices", "credit_notes", "estimates"])
def test_void_and_delete(api, customer, collection):
    made = api.ok("POST", f"/{collection}", {"customer": 1, "items": [line(5)]})
    path = f"/{collection}/{made['id']}"
    voided = api.ok("POST", f"{path}/void")
    assert (voided["status"], voided["url"], voided["total"]) == ("voided", None, 5)
    assert voided.get("balance", 0) == 0
    assert voided["closed"] is False
    assert api.error("POST", f"{path}/void") == (
        400,
        "This document has already been voided.",
        None,
    )
    assert api("DELETE", path).status_code == 204
    name = collection.removesuffix("s")
    types = [event["type"] for event in api.events()]
    assert types == [f"{name}.created", f"{name}.updated", f"{name}.deleted"]
    deleted = api.events()[-1]["data"]["object"]
    assert (deleted["status"], deleted["customer"]["name"]) == ("voided", "A")


@pytest.mark.parametrize(
    ("collection", "stored", "name", "reason"),
    [
        ("invoices", {"amount_credited": 1}, "invoice", "it has a credit note applied"),
        ("invoices", {"amount_paid": 1}, "invoice", "it has a payment applied"),
        ("invoices", {"status": "pending"}, "invoice", "it has a pending payment"),
        (
            "credit_notes",
            {"amount_credited": 1},
            "credit note",
            "it has been added to the customer's credit balance",
        ),
        ("credit_notes", {"amount_refunded": 1}, "credit note", "it has a refund applied"),
        (
            "credit_notes",
            {"amount_applied_to_invoice": 1},
            "credit note",
            "it has been applied to an invoice",
        ),
        ("estimates", {"invoice": 1}, "estimate", "it has already been invoiced"),
        ("estimates", {"deposit_paid": True}, "estimate", "it has a deposit payment applied"),
    ],
)
def test_documents_that_cannot_be_voided(api, customer, *, collection, stored, name, reason):
    api.emulator.store.put(collection, {"id": 1, "customer": 1, "total": 1} | stored)
    message = NOT_VOIDABLE.format(name, reason)
    assert api.error("POST", f"/{collection}/1/void") == (400, message, None)
    assert api.error("DELETE", f"/{collection}/1") == (400, message, "voided")


def test_credit_note_for_an_invoice_is_applied(api, customer):
    made = invoice(api)
    note = api.ok("POST", "/credit_notes", {"invoice": made["id"], "items": [line(30)]})
    assert (note["number"], note["customer"], note["invoice"]) == ("CN-00001", 1, made["id"])
    assert api.ok("GET", f"/invoices/{made['id']}")["balance"] == 70
    assert api.ok("GET", f"/credit_notes/{note['id']}")["status"] == "paid"
    assert api.error("POST", "/credit_notes", {"invoice": 999}) == (
        400,
        "No such invoice: 999",
        "invoice",
    )


def test_estimate_to_invoice(api, customer):
    body = {"customer": 1, "items": [line(10, taxes=["vat"])], "discount": 1, "approved": "ab"}
    estimate = api.ok("POST", "/estimates", body)
    assert (estimate["number"], estimate["total"]) == ("EST-00001", Decimal("9.5"))
    assert "balance" not in estimate
    response = api("POST", f"/estimates/{estimate['id']}/invoice")
    assert response.status_code == 201
    made = response.json()
    assert (made["object"], made["total"], made["number"]) == ("invoice", 9.5, "INV-00001")
    after = api.ok("GET", f"/estimates/{estimate['id']}")
    assert (after["invoice"], after["status"], after["closed"]) == (made["id"], "invoiced", True)


@pytest.mark.parametrize(
    ("path", "name"),
    [("invoices", "invoice"), ("credit_notes", "credit note"), ("estimates", "estimate")],
)
def test_numbers_are_unique_per_kind(api, customer, path, name):
    for each in ("invoices", "credit_notes", "estimates"):
        api.ok("POST", f"/{each}", {"customer": 1, "number": "X-1"})
    body = {"customer": 1, "number": "x-1"}
    message = f"The given {name} number has already been taken: x-1"
    assert api.error("POST", f"/{path}", body) == (400, message, "number")
    (made,) = api.ok("GET", f"/{path}")
    api.ok("PATCH", f"/{path}/{made['id']}", {"closed": False, "number": "x-1"})


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        ({"date": "soon"}, "Date only allows timestamps", "date"),
        ({"due_date": "soon"}, "Due Date only allows timestamps", "due_date"),
        ({"items": [{"quantity": "x"}]}, "Quantity only allows numbers", "items"),
        ({"items": [{"unit_cost": "x"}]}, "Unit Cost only allows numbers", "items"),
    ],
)
def test_values_of_the_wrong_type(api, customer, body, message, param):
    assert api.error("POST", "/invoices", {"customer": 1} | body) == (400, message, param)


@pytest.mark.parametrize(("name", "value"), [("customer", 2), ("currency", "eur")])
def test_credit_note_must_match_its_invoice(api, customer, name, value):
    made = invoice(api)
    body = {"invoice": made["id"], "items": [line(1)], name: value}
    assert api.error("POST", "/credit_notes", body)[::2] == (400, name)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"draft": True, "approved": "AB"}, "draft"),
        ({"approved": "AB", "closed": True}, "approved"),
        ({"closed": True, "expiration_date": 5}, "declined"),
        ({"expiration_date": 5, "sent": True}, "expired"),
        ({"sent": True}, "sent"),
        ({}, "not_sent"),
    ],
)
def test_statuses_of_estimates(api, customer, changes, status):
    body = {"customer": 1, "items": [line(1)]} | changes
    assert api.ok("POST", "/estimates", body)["status"] == status
