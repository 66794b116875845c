"""Payments, their splits, and the customer's credit balance."""

from decimal import Decimal

import pytest

PREFIX = "An error occurred while trying to apply payment: "


@pytest.fixture
def invoices(api):
    api.emulator.store.put(
        "customers", {"id": 1, "object": "customer", "number": "CUST-1", "name": "A"}
    )
    api.emulator.store.put("customers", {"id": 2, "number": "CUST-2", "name": "B"})
    made = [
        api.ok("POST", "/invoices", {"customer": 1, "items": [{"unit_cost": 10}]}) for _ in range(2)
    ]
    other = api.ok(
        "POST", "/invoices", {"customer": 2, "currency": "eur", "items": [{"unit_cost": 10}]}
    )
    return [each["id"] for each in (*made, other)]


def split(invoice, amount):
    return {"type": "invoice", "invoice": invoice, "amount": amount}


def transactions(api):
    return [
        (row["type"], row["method"], row["amount"], row["invoice"])
        for row in api.ok("GET", "/transactions")
    ]


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        ({}, "The required option 'amount' is missing.", "request"),
        ({"amount": -1}, "The amount cannot be less than 0.", "amount"),
        ({"amount": 1, "customer": 9}, "No such customer: 9", None),
        (
            {"amount": 1, "customer": "15444"},
            "The option 'customer' with value '15444' is expected to be of type 'integer' or "
            "'null', but is of type 'string'.",
            "request",
        ),
    ],
)
def test_refused_payments(api, body, message, param):
    assert api.error("POST", "/payments", body) == (400, message, param)


def test_unknown_option_and_form_body(api):
    status, message, param = api.error("POST", "/payments", {"amount": 1, "foo": 1})
    assert (status, param) == (400, "request")
    assert message.startswith("The option 'foo' does not exist. Defined options are: 'accounting_")
    assert message.endswith("'source'.")
    form = api("POST", "/payments", data={"amount": "1", "customer": "1"})
    assert "'customer' with value '1'" in form.json()["message"]


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ([split(999, 5)], "Could not find invoice: 999"),
        (
            [split(0, 20)],
            "Total amount applied (20 USD) cannot exceed the payment amount (10 USD)",
        ),
        ([split(0, 0)], "Amount applied to document must be greater than 0. Provided: 0 USD"),
        ([{"type": "invoice", "invoice": 0}], "Must provide an amount for each transaction."),
        (
            [split(0, 1), split(0, 1)],
            "Each document can only be applied once per payment. Detected duplicate (invoice:{0})",
        ),
        (
            [split(2, 1)],
            "The currency of invoice INV-00003 (eur) does not match the payment currency (usd)",
        ),
        (
            [{"type": "credit", "amount": 1, "invoice": 0}],
            "Cannot supply invoice ID to non-invoice splits.",
        ),
    ],
)
def test_refused_splits(api, invoices, splits, message):
    sent = [
        each | {"invoice": invoices[each["invoice"]]} if each["invoice"] < 3 else each
        for each in splits
    ]
    body = {"amount": 10, "customer": 1, "applied_to": sent}
    expected = PREFIX + message.format(*invoices)
    assert api.error("POST", "/payments", body) == (400, expected, "applied_to")
    assert api.emulator.store.count("transactions") == 0


def test_invoice_of_another_customer(api, invoices):
    body = {"amount": 10, "customer": 1, "currency": "eur", "applied_to": [split(invoices[2], 1)]}
    assert api.error("POST", "/payments", body)[1] == (
        f"{PREFIX}The invoice provided (INV-00003) does not belong to the customer that was "
        "selected to apply payments for: CUST-1"
    )


def test_create_update_and_void_a_payment(api, invoices):
    one, two, _ = invoices
    body = {"amount": 15, "method": "check", "applied_to": [split(one, 10)]}
    response = api("POST", "/payments", body)
    assert response.status_code == 201
    payment = response.json()
    assert (payment["customer"], payment["balance"], payment["source"]) == (1, 5, "keyed")
    assert "applied_to" not in payment
    path = f"/payments/{payment['id']}"
    assert api.ok("GET", f"/invoices/{one}")["status"] == "paid"
    assert transactions(api) == [("payment", "check", 10, one)]
    first = api.ok("GET", f"{path}?include=applied_to")["applied_to"][0]["id"]

    api.ok("PATCH", path, {"applied_to": [split(one, 10), split(two, 5)]})
    applied = api.ok("GET", f"{path}?include=applied_to")["applied_to"]
    assert [each["amount"] for each in applied] == [10, 5]
    assert applied[0]["id"] == first
    assert api.error("PATCH", path, {"amount": 9}) == (
        400,
        "The amount cannot cause the balance to go below 0.",
        "amount",
    )
    assert api.error("DELETE", f"/transactions/{first}") == (
        400,
        "You cannot delete a transaction with an associated payment.",
        None,
    )
    response = api("DELETE", path)
    assert response.status_code == 200
    assert (response.json()["voided"], response.json()["balance"]) == (True, 15)
    assert transactions(api) == []
    assert api.ok("GET", f"/invoices/{one}")["status"] == "not_sent"
    assert api.error("DELETE", path)[1] == "This payment has already been voided."
    assert api.error("PATCH", path, {"notes": "x"}) == (
        400,
        "The payment is voided and cannot be edited.",
        "voided",
    )
    types = [event["type"] for event in api.events() if not event["type"].endswith("created")]
    assert types == [
        "invoice.paid",
        "payment.updated",
        "invoice.updated",
        "payment.deleted",
        "invoice.updated",
        "invoice.updated",
    ] or sorted(types) == sorted(
        [
            "invoice.paid",
            "invoice.updated",
            "payment.updated",
            "payment.deleted",
            "invoice.updated",
            "invoice.updated",
        ]
    )
    assert api.events("transaction.created", "transaction.deleted") == []


def test_overpayment_makes_the_invoice_balance_negative(api, invoices):
    api.ok("POST", "/payments", {"amount": 12, "applied_to": [split(invoices[0], 12)]})
    assert api.ok("GET", f"/invoices/{invoices[0]}")["balance"] == -2


def test_changing_the_customer_removes_the_application(api, invoices):
    payment = api.ok("POST", "/payments", {"amount": 10, "applied_to": [split(invoices[0], 10)]})
    changed = api.ok("PATCH", f"/payments/{payment['id']}", {"customer": 2})
    assert (changed["customer"], changed["balance"]) == (2, 10)
    assert transactions(api) == []


def test_transaction_events_need_a_feature(api, invoices):
    api.emulator.account.features.add("transaction_events")
    try:
        api.ok("POST", "/payments", {"amount": 10, "applied_to": [split(invoices[0], 10)]})
    finally:
        api.emulator.account.features.discard("transaction_events")
    assert len(api.events("transaction.created")) == 1


def test_overpayment_to_the_credit_balance_and_back(api, invoices):
    payment = api.ok(
        "POST",
        "/payments",
        {
            "amount": 25,
            "customer": 1,
            "applied_to": [split(invoices[0], 10), {"type": "credit", "amount": 15}],
        },
    )
    (adjustment,) = api.ok("GET", "/credit_balance_adjustments")
    assert (adjustment["amount"], adjustment["notes"]) == (15, "Overpayment")
    assert ("adjustment", "balance", -15, None) in transactions(api)
    assert adjustment["id"] in [row["id"] for row in api.ok("GET", "/transactions")]
    assert api.ok("GET", "/customers/1?include=credit_balance")["credit_balance"] == 15
    spend = {"type": "applied_credit", "document_type": "invoice", "invoice": invoices[1]}
    api.ok("POST", "/payments", {"amount": 0, "applied_to": [spend | {"amount": 10}]})
    assert api.ok("GET", f"/invoices/{invoices[1]}")["status"] == "paid"
    assert api.ok("GET", "/customers/1/balance")["available_credits"] == 5
    api("DELETE", f"/payments/{payment['id']}")
    assert api.ok("GET", "/credit_balance_adjustments") == []


def test_credit_cannot_be_overspent(api, invoices):
    spend = {
        "type": "applied_credit",
        "document_type": "invoice",
        "invoice": invoices[0],
        "amount": 10,
    }
    assert api.error("POST", "/payments", {"amount": 0, "applied_to": [spend]}) == (
        400,
        f"{PREFIX}Could not write this change because it caused the customer's credit balance to "
        "become -10 USD on Nov 14, 2023",
        "applied_to",
    )
    assert api.ok("GET", f"/invoices/{invoices[0]}")["balance"] == 10


def test_credit_note_to_the_balance(api, invoices):
    note = api.ok("POST", "/credit_notes", {"customer": 1, "items": [{"unit_cost": 8}]})
    grant = {"type": "credit_note", "credit_note": note["id"], "amount": 8}
    api.ok("POST", "/payments", {"amount": 0, "applied_to": [grant]})
    credited = api.ok("GET", f"/credit_notes/{note['id']}")
    assert credited["paid"] is True
    assert credited.keys() == note.keys()  # a credit note has no `amount_paid`
    assert api.ok("GET", "/credit_balance_adjustments")[0]["amount"] == 8


def test_adjustments(api, invoices):
    path = "/credit_balance_adjustments"
    for body, message, param in (
        ({"customer": 1}, "The required option 'amount' is missing.", "request"),
        ({"amount": 5}, "Customer missing", "customer"),
        ({"amount": 5, "customer": 9}, "No such customer: 9", "customer"),
        ({"amount": 0, "customer": 1}, "Amount is invalid", "amount"),
    ):
        assert api.error("POST", path, body) == (400, message, param)
    assert api.error("POST", path, {"amount": -5, "customer": 1})[2] == "amount"
    made = api.ok("POST", path, {"amount": Decimal("5.50"), "customer": 1})
    assert set(made) == {
        "id",
        "object",
        "customer",
        "date",
        "currency",
        "amount",
        "notes",
        "created_at",
    }
    assert transactions(api) == [("adjustment", "balance", Decimal("-5.5"), None)]
    api.ok("PATCH", f"{path}/{made['id']}", {"amount": 7, "notes": "x"})
    assert api.ok("GET", f"/transactions/{made['id']}")["amount"] == -7
    assert api("DELETE", f"{path}/{made['id']}").status_code == 204
    assert transactions(api) == []
    events = api.events("transaction.created", "transaction.updated", "transaction.deleted")
    assert len(events) == 3
    assert {event["data"]["object"]["object"] for event in events} == {"credit_balance_adjustment"}


def test_payments_issue_drafts_and_refuse_voided_documents(api, invoices):
    body = {"customer": 1, "draft": True, "items": [{"unit_cost": 10}]}
    draft = api.ok("POST", "/invoices", body)["id"]
    api.ok("POST", "/payments", {"amount": 4, "applied_to": [split(draft, 4)]})
    after = api.ok("GET", f"/invoices/{draft}")
    assert (after["draft"], after["balance"]) == (False, 6)
    api.ok("POST", f"/invoices/{invoices[0]}/void")
    refused = api.error("POST", "/payments", {"amount": 4, "applied_to": [split(invoices[0], 4)]})
    assert refused[::2] == (400, "applied_to")


def test_splits_that_do_not_consume_the_payment(api, invoices):
    note = api.ok("POST", "/credit_notes", {"customer": 1, "items": [{"unit_cost": 3}]})
    target = {"document_type": "invoice", "invoice": invoices[0]}
    splits = [
        {"type": "credit_note", "credit_note": note["id"], "amount": 3, **target},
        {"type": "document_adjustment", "amount": 2, **target},
        {"type": "convenience_fee", "amount": 1},
        split(invoices[0], 5),
    ]
    payment = api.ok("POST", "/payments", {"amount": 6, "applied_to": splits})
    assert payment["balance"] == 0
    after = api.ok("GET", f"/invoices/{invoices[0]}?include=amount_credited,amount_paid")
    assert (after["amount_credited"], after["amount_paid"], after["status"]) == (5, 5, "paid")
    applied = api.ok("GET", f"/payments/{payment['id']}?include=applied_to")["applied_to"]
    assert [each["type"] for each in applied] == [each["type"] for each in splits]
