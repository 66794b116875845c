"""Payment sources, charges, refunds and AutoPay, which use the payment gateway."""

import pytest

DECLINED = (400, "Your card was declined.", None)
NO_METHOD = "Payment method is missing. Please provide this with the `method` parameter."
TOKEN = {"gateway_token": "tok_visa"}


@pytest.fixture
def customer(api):
    api.emulator.store.put("customers", {"id": 1, "object": "customer", "name": "A", "number": "C"})
    return api


@pytest.fixture
def paying(customer):
    """A customer with a card on file and an AutoPay invoice over 50."""
    customer.ok("POST", "/customers/1/payment_sources", TOKEN)
    customer.ok("PATCH", "/customers/1", {"autopay": True})
    customer.ok("POST", "/invoices", {"customer": 1, "items": [{"unit_cost": 50}]})
    return customer


def test_token_attaches_a_source(customer):
    response = customer("POST", "/customers/1/payment_sources", TOKEN)
    assert response.status_code == 200
    card = response.json()
    assert (card["object"], card["last4"], card["customer_id"]) == ("card", "4242", 1)
    assert customer.ok("GET", "/customers/1")["payment_source"]["id"] == card["id"]
    bank = {"method": "ach", "invoiced_token": "tok", "make_default": True, "foo": 1}
    account = customer.ok("POST", "/customers/1/payment_sources", bank)
    assert (account["object"], account["verified"]) == ("bank_account", True)
    assert customer.ok("GET", "/customers/1")["payment_source"]["object"] == "bank_account"
    types = [event["type"] for event in customer.events("payment_source.created")]
    assert len(types) == 2


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/customers/9", TOKEN, (404, "Customer was not found: 9", None)),
        (
            "/customers/1",
            {"method": "cash", **TOKEN},
            (400, "This business does not support saving the payment method: cash", None),
        ),
        (
            "/customers/1",
            {},
            (400, "Exactly one of invoiced_token and gateway_token must be provided.", None),
        ),
        (
            "/customers/1",
            {"gateway_token": "tok_invalid"},
            (400, "The payment token is not valid.", None),
        ),
    ],
)
def test_refused_sources(customer, path, body, expected):
    assert customer.error("POST", f"{path}/payment_sources", body) == expected
    assert customer.emulator.store.count("cards") == 0


def test_sources_are_limited_to_20(customer):
    for _ in range(20):
        customer.ok("POST", "/customers/1/payment_sources", TOKEN)
    message = "The customer has reached the maximum allowed payment methods (20)."
    error = customer.error("POST", "/customers/1/payment_sources", TOKEN)
    assert error == (400, message, None)


def test_removed_source_is_not_listed(customer):
    card = customer.ok("POST", "/customers/1/payment_sources", TOKEN)
    path = "/customers/1/payment_sources"
    assert customer.error("DELETE", f"/customers/2/cards/{card['id']}") == (
        404,
        f"Card was not found: {card['id']}",
        None,
    )
    assert customer("DELETE", f"/customers/1/cards/{card['id']}").status_code == 204
    assert customer.ok("GET", path) == []
    assert customer.ok("GET", f"{path}?include_hidden=1")[0]["chargeable"] is False
    assert customer.error("GET", f"{path}?updated_after=1")[2] == "query"
    assert customer.ok("GET", "/customers/1")["payment_source"] is None
    assert len(customer.events("payment_source.deleted")) == 1


def test_customer_is_created_with_a_source(api):
    body = {"name": "B", "payment_source": {"method": "credit_card", **TOKEN}}
    assert api.ok("POST", "/customers", body)["payment_source"]["last4"] == "4242"
    body["payment_source"] = {"gateway_token": "tok_invalid"}
    assert api.error("POST", "/customers", body)[1] == "The payment token is not valid."
    assert api.emulator.store.count("customers") == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"customer": 9, "amount": 5}, (404, "Customer was not found: 9", None)),
        ({"customer": 1, "amount": 5}, (400, NO_METHOD, None)),
        ({"customer": 1, "amount": 5, **TOKEN}, (400, NO_METHOD, None)),
        (
            {"customer": 1, "amount": 5, "applied_to": [{"type": "x", "amount": 1}]},
            (
                400,
                "Invalid split x. Allowed split types are: invoice, estimate, credit, "
                "applied_credit, credit_note",
                None,
            ),
        ),
        (
            {"customer": 1, "amount": 5, "applied_to": [{"type": "credit"}]},
            (400, "Amount must be specified on all splits.", None),
        ),
        (
            {"customer": 1, "amount": 5, "splits": [{"type": "invoice", "amount": 1}]},
            (400, "Split is missing value: invoice", None),
        ),
        (
            {
                "customer": 1,
                "amount": 5,
                "splits": [{"type": "invoice", "invoice": 9, "amount": 1}],
            },
            (400, "Could not find invoice: 9", None),
        ),
    ],
)
def test_refused_charges(customer, body, expected):
    assert customer.error("POST", "/charges", body) == expected
    assert customer.emulator.store.count("charges") == 0


def test_charge_creates_a_payment(paying):
    (invoice,) = paying.ok("GET", "/invoices")
    split = {"type": "invoice", "invoice": invoice["id"], "amount": 50}
    response = paying("POST", "/charges", {"customer": 1, "amount": 50, "applied_to": [split]})
    assert response.status_code == 200
    payment = response.json()
    charge = payment["charge"]
    assert (payment["object"], payment["method"], payment["balance"]) == (
        "payment",
        "credit_card",
        0,
    )
    assert (charge["status"], charge["customer_id"], charge["payment_id"]) == (
        "succeeded",
        1,
        payment["id"],
    )
    assert "customer" not in charge
    assert paying.ok("GET", f"/charges/{charge['id']}")["payment"] == payment["id"]
    assert paying.ok("GET", f"/invoices/{invoice['id']}")["status"] == "paid"
    types = [event["type"] for event in paying.events()]
    assert types[-3:] == ["charge.succeeded", "invoice.paid", "payment.created"]


def test_token_is_charged_and_saved(customer):
    body = {"customer": 1, "amount": 5, "method": "ach", "vault_method": True, **TOKEN}
    assert customer.ok("POST", "/charges", body)["method"] == "ach"
    assert len(customer.ok("GET", "/customers/1/payment_sources")) == 1
    (source,) = customer.ok("GET", "/customers/1/payment_sources")
    again = {"payment_source_type": "bank_account", "payment_source_id": source["id"]}
    assert customer.ok("POST", "/charges", {"customer": 1, "amount": 5} | again)["method"] == "ach"
    again["payment_source_id"] = 99
    assert customer.error("POST", "/charges", {"customer": 1, "amount": 5} | again)[0] == 404


def test_declined_charge_is_stored_as_failed(customer):
    body = {"customer": 1, "amount": 5, "method": "credit_card", "gateway_token": "tok_declined"}
    assert customer.error("POST", "/charges", body) == DECLINED
    (charge,) = customer.ok("GET", "/charges")
    assert (charge["status"], charge["failure_message"]) == ("failed", "Your card was declined.")
    assert [event["type"] for event in customer.events()] == ["charge.failed"]
    assert customer.ok("GET", "/payments") == []


def test_pending_charge_returns_204(customer):
    body = {"customer": 1, "amount": 5, "method": "ach", "gateway_token": "tok_processing"}
    response = customer("POST", "/charges", body)
    assert (response.status_code, response.content) == (204, b"")
    (charge,) = customer.ok("GET", "/charges")
    assert charge["status"] == "pending"
    assert customer.error("POST", f"/charges/{charge['id']}/refunds", {"amount": 5}) == (
        400,
        "Refunds are not available for this charge because it has not cleared.",
        None,
    )


@pytest.fixture
def charged(paying):
    (invoice,) = paying.ok("GET", "/invoices")
    split = {"type": "invoice", "invoice": invoice["id"], "amount": 50}
    payment = paying.ok("POST", "/charges", {"customer": 1, "amount": 50, "applied_to": [split]})
    return f"/charges/{payment['charge']['id']}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"amount": 0}, "Invalid refund amount: 0 USD"),
        ({"amount": 51}, "The refund amount cannot exceed the original charge amount."),
        ({"amount": 5}, "Partial refunds are not available on the day of the charge."),
    ],
)
def test_refused_refunds(api, charged, body, message):
    assert api.error("POST", f"{charged}/refunds", body) == (400, message, None)


def test_refund_reopens_the_invoice_and_can_be_voided(api, charged):
    (payment,) = api.ok("GET", "/payments")
    api.emulator.clock.advance(86_400)
    response = api("POST", f"{charged}/refunds", {"amount": 20})
    assert response.status_code == 201
    refund = response.json()
    assert (refund["object"], refund["status"]) == ("refund", "succeeded")
    charge = api.ok("GET", charged)
    assert (charge["amount_refunded"], charge["refunded"]) == (20, False)
    (after,) = api.ok("GET", "/payments")
    assert after["charge"]["amount_refunded"] == 20
    assert after["updated_at"] == payment["updated_at"]
    (invoice,) = api.ok("GET", "/invoices")
    assert (invoice["balance"], invoice["paid"]) == (20, False)
    assert ("refund", 20) in [
        (each["type"], each["amount"]) for each in api.ok("GET", "/transactions")
    ]
    response = api("POST", f"/refunds/{refund['id']}/void")
    assert (response.status_code, response.json()["status"]) == (201, "voided")
    assert api.ok("GET", charged)["amount_refunded"] == 0
    (event,) = api.events("refund.created")
    shown = event["data"]["object"]["charge"]
    assert (shown["id"], shown["customer"]["id"]) == (charge["id"], charge["customer"])


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"autopay": False}, "Cannot collect on an invoice without AutoPay enabled."),
        (
            {"closed": True, "voided": True},
            "Cannot collect on closed invoices. Please reopen the invoice first.",
        ),
        ({"voided": True}, "Cannot collect on voided invoices."),
        ({"paid": True}, "This invoice has already been paid."),
        (
            {"draft": True},
            "Cannot collect on an invoice that has not been issued yet. "
            "Please issue the invoice first.",
        ),
    ],
)
def test_invoices_that_cannot_be_collected(paying, stored, message):
    (invoice,) = paying.ok("GET", "/invoices?include=voided")
    paying.emulator.store.put("invoices", invoice | stored)
    assert paying.error("POST", f"/invoices/{invoice['id']}/pay") == (400, message, None)


def test_customers_without_a_usable_source(customer):
    invoice = customer.ok(
        "POST", "/invoices", {"customer": 1, "autopay": True, "items": [{"unit_cost": 5}]}
    )
    pay = f"/invoices/{invoice['id']}/pay"
    assert customer.error("POST", pay)[1] == (
        "Cannot collect on a customer without a payment source."
    )
    unverified = {"method": "ach", "gateway_token": "tok_unverified"}
    customer.ok("POST", "/customers/1/payment_sources", unverified)
    assert customer.error("POST", pay)[1].endswith("until the payment source is verified.")
    declined = {"gateway_token": "tok_declined", "make_default": True}
    customer.ok("POST", "/customers/1/payment_sources", declined)
    assert customer.error("POST", pay) == DECLINED
    assert customer.ok("GET", f"/invoices/{invoice['id']}")["attempt_count"] == 1


def test_autopay_pays_the_invoice(paying):
    (invoice,) = paying.ok("GET", "/invoices")
    response = paying("POST", f"/invoices/{invoice['id']}/pay")
    assert response.status_code == 200
    paid = response.json()
    assert (paid["object"], paid["status"], paid["attempt_count"]) == ("invoice", "paid", 1)
    (payment,) = paying.ok("GET", "/payments")
    assert (payment["source"], payment["amount"]) == ("autopay", 50)


def test_new_subscription_is_rolled_back_when_its_charge_fails(customer):
    customer.ok("POST", "/plans", {"id": "pro", "name": "P", "amount": 9} | MONTHLY)
    customer.ok("PATCH", "/customers/1", {"autopay": True})
    declined = {"gateway_token": "tok_declined"}
    customer.ok("POST", "/customers/1/payment_sources", declined)
    body = {"customer": 1, "plan": "pro"}
    assert customer.error("POST", "/subscriptions", body) == DECLINED
    store = customer.emulator.store
    assert [store.count(each) for each in ("subscriptions", "invoices", "charges")] == [0, 0, 0]


MONTHLY = {"interval": "month", "interval_count": 1}
