"""Request bodies: unknown, blocked, empty and oversized properties, per kind of record."""

import pytest

CUSTOMER = {"id": 1, "object": "customer", "name": "A", "number": "CUST-1"}
PLAN = {"id": "pro", "name": "P", "currency": "usd", "amount": 9, "interval": "month"}
INVOICE = {"customer": 1, "items": [{"unit_cost": 5}]}
BODIES = {
    "/customers": {"name": "B"},
    "/customers/1/contacts": {"name": "Jan"},
    "/invoices": INVOICE,
    "/credit_notes": INVOICE,
    "/estimates": INVOICE,
    "/payments": {"amount": 5, "customer": 1},
    "/subscriptions": {"customer": 1, "plan": "pro"},
    "/tasks": {"name": "Call", "action": "phone", "due_date": 5},
    "/notes": {"notes": "x", "customer_id": 1},
    "/credit_balance_adjustments": {"amount": 5, "customer": 1},
    "/transactions": {"amount": 5, "customer": 1},
    "/plans": {"name": "Q", "amount": 1, "interval": "day", "interval_count": 1},
    "/items": {"name": "Delivery"},
    "/coupons": {"name": "Five", "value": 5},
    "/tax_rates": {"name": "VAT", "value": 5},
    "/webhooks": {"url": "https://example.org/hook"},
    "/customers/1/line_items": {"name": "Delivery"},
}
STRICT = (
    "/customers/1/contacts",
    "/payments",
    "/tasks",
    "/notes",
    "/credit_balance_adjustments",
    "/plans",
    "/items",
    "/coupons",
    "/tax_rates",
    "/webhooks",
)
LENIENT = tuple(path for path in BODIES if path not in STRICT)
WITH_METADATA = (
    "/customers",
    "/invoices",
    "/credit_notes",
    "/estimates",
    "/payments",
    "/subscriptions",
    "/transactions",
    "/plans",
    "/items",
    "/coupons",
    "/tax_rates",
    "/customers/1/line_items",
)
DELETED_WITHOUT_PARAMETERS = (
    "/customers",
    "/customers/1/contacts",
    "/invoices",
    "/credit_notes",
    "/estimates",
    "/subscriptions",
    "/plans",
    "/items",
    "/coupons",
    "/tax_rates",
    "/credit_balance_adjustments",
    "/transactions",
    "/tasks",
    "/notes",
)


@pytest.fixture
def account(api):
    api.emulator.store.put("customers", CUSTOMER)
    api.emulator.store.put("plans", PLAN | {"interval_count": 1, "pricing_mode": "per_unit"})
    return api


def is_unknown_option(error, name="foo"):
    status, message, param = error
    text = f"The option '{name}' does not exist. Defined options are: '"
    return (status, param) == (400, "request") and message.startswith(text)


@pytest.mark.parametrize("path", BODIES)
def test_created(account, path):
    response = account("POST", path, BODIES[path])
    assert response.status_code == 201
    assert list(response.json()) == sorted(response.json())


@pytest.mark.parametrize("path", STRICT)
def test_unknown_options_are_refused(account, path):
    assert is_unknown_option(account.error("POST", path, BODIES[path] | {"foo": 1}))
    several = account.error("POST", path, BODIES[path] | {"foo": 1, "bar": 2})
    assert several[1].startswith("The options 'bar', 'foo' do not exist. Defined options are: '")


@pytest.mark.parametrize("path", [each for each in STRICT if each != STRICT[4]])
def test_unknown_options_of_an_update_are_refused(account, path):
    made = account.ok("POST", path, BODIES[path])
    assert is_unknown_option(account.error("PATCH", f"{path}/{made['id']}", {"foo": 1}))


@pytest.mark.parametrize("path", [*LENIENT, "/credit_balance_adjustments"])
def test_unknown_properties_are_ignored(account, path):
    made = account.ok("POST", path, BODIES[path] | ({"foo": 1} if path in LENIENT else {}))
    changed = account.ok("PATCH", f"{path}/{made['id']}", {"foo": 1})
    assert "foo" not in made.keys() | changed.keys()


@pytest.mark.parametrize("path", LENIENT)
def test_empty_updates_do_not_move_updated_at(account, path):
    made = account.ok("POST", path, BODIES[path])
    account.emulator.clock.advance(60)
    empty = account.ok("PATCH", f"{path}/{made['id']}", {})
    stamped = 60 if path == "/subscriptions" else 0
    assert empty["updated_at"] == made["updated_at"] + stamped
    same = account.ok("PATCH", f"{path}/{made['id']}", {"foo": 1})
    assert same["updated_at"] == made["updated_at"] + 60


@pytest.mark.parametrize("path", DELETED_WITHOUT_PARAMETERS)
def test_delete_refuses_parameters(account, path):
    made = account.ok("POST", path, BODIES[path])
    assert account.error("DELETE", f"{path}/{made['id']}?x=1") == (
        400,
        "The option 'x' does not exist. Defined options are: ''.",
        "query",
    )


@pytest.mark.parametrize("path", [*DELETED_WITHOUT_PARAMETERS, "/payments", "/webhooks"])
def test_deleted(account, path):
    made = account.ok("POST", path, BODIES[path])
    kept = path in {"/payments", "/subscriptions"}
    response = account("DELETE", f"{path}/{made['id']}")
    assert response.status_code == (200 if kept else 204)
    assert bool(response.content) is kept


def test_some_deletes_ignore_parameters(account):
    for path, status in (("/payments", 200), ("/customers/1/line_items", 204)):
        made = account.ok("POST", path, BODIES[path])
        assert account("DELETE", f"{path}/{made['id']}?x=1").status_code == status


@pytest.mark.parametrize("path", WITH_METADATA)
@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (
            {str(i): "" for i in range(11)},
            "There can only be up to 10 metadata values. 11 values were provided.",
        ),
        ({"k" * 41: ""}, f"The `{'k' * 41}` metadata key exceeds the 40 character limit."),
        (
            {"k": "v" * 256},
            "The provided value for metadata.k exceeds the 255 character limit.",
        ),
        (
            {"k": None},
            "The provided value for metadata.k is an invalid type. "
            "Valid types are string, boolean, number, object, and array.",
        ),
    ],
)
def test_metadata_limits(account, path, metadata, message):
    body = BODIES[path] | {"metadata": metadata}
    assert account.error("POST", path, body) == (400, message, "metadata")
    made = account.ok("POST", path, BODIES[path])
    change = {"metadata": metadata}
    assert account.error("PATCH", f"{path}/{made['id']}", change) == (400, message, "metadata")


@pytest.mark.parametrize("path", WITH_METADATA)
def test_lists_filter_by_metadata(account, path):
    marker = {"metadata": {"warehouse_key": "17"}}
    account.ok("POST", path, BODIES[path])
    made = account.ok("POST", path, BODIES[path] | marker)
    found = account.ok("GET", f"{path}?metadata[warehouse_key]=17")
    assert [each["id"] for each in found] == [made["id"]]
    assert account.ok("GET", f"{path}?metadata[warehouse_key]=1") == []


@pytest.mark.parametrize("path", WITH_METADATA)
def test_metadata_is_replaced_and_stored_as_text(account, path):
    sent = {"a": True, "b": 5, "c": [1, 2]}
    made = account.ok("POST", path, BODIES[path] | {"metadata": sent})
    assert made["metadata"] == sent
    (found,) = account.ok("GET", f"{path}?metadata[b]=5")
    assert found["metadata"] == {"a": "1", "b": "5", "c": "[1,2]"}
    account.ok("PATCH", f"{path}/{made['id']}", {"metadata": {"b": "6"}})
    (found,) = account.ok("GET", f"{path}?metadata[b]=6")
    assert found["metadata"] == {"b": "6"}
    assert account.ok("PATCH", f"{path}/{made['id']}", {"metadata": None})["metadata"] == {}


@pytest.mark.parametrize("path", ["/invoices", "/estimates", "/subscriptions"])
def test_shipping_address(account, path):
    address = {"name": "Dock 4", "city": "Ulm", "country": "de", "foo": 1}
    made = account.ok("POST", path, BODIES[path] | {"ship_to": address})
    now = account.emulator.clock.now()
    assert made["ship_to"] == {
        "name": "Dock 4",
        "city": "Ulm",
        "country": "DE",
        **dict.fromkeys(("attention_to", "address1", "address2", "state", "postal_code")),
        "created_at": now,
        "updated_at": now,
    }
    assert account.ok("PATCH", f"{path}/{made['id']}", {"ship_to": None})["ship_to"] is None


BLOCKED = {
    "/customers": (
        "Customer",
        "client_id client_id_exp credit_balance object statement_pdf_url sign_up_url created_at "
        "updated_at",
    ),
    "/invoices": (
        "Invoice",
        "subtotal total status viewed client_id client_id_exp date_paid date_bad_debt "
        "subscription_id amount_paid amount_credited paid balance last_sent attempt_count "
        "recalculate_chase payment_plan_id created_at updated_at",
    ),
    "/credit_notes": (
        "Credit Note",
        "subtotal total status invoice_id amount_applied_to_invoice amount_refunded "
        "amount_credited paid balance",
    ),
}


@pytest.mark.parametrize(
    ("path", "name"),
    [(path, name) for path, (_, names) in BLOCKED.items() for name in names.split()],
)
def test_read_only_properties_are_refused(account, path, name):
    message = f"Mass assignment of {name} on {BLOCKED[path][0]} is not allowed"
    assert account.error("POST", path, BODIES[path] | {name: 1}) == (400, message, None)
    made = account.ok("POST", path, BODIES[path])
    assert account.error("PATCH", f"{path}/{made['id']}", {name: 1}) == (400, message, None)


def test_a_retrieved_record_cannot_be_written_back(account):
    record = account.ok("GET", "/customers/1")
    assert account.error("PATCH", "/customers/1", record)[1].startswith("Mass assignment of ")


@pytest.mark.parametrize(
    ("path", "name", "nullable", "longest"),
    [
        ("/customers", "name", False, 255),
        ("/customers", "number", False, 32),
        ("/customers", "phone", True, 255),
        ("/invoices", "number", False, 32),
        ("/invoices", "purchase_order", True, 32),
        ("/invoices", "notes", True, 65_535),
        ("/estimates", "approved", True, 10),
        ("/customers/1/contacts", "name", False, 255),
        ("/tasks", "action", False, 255),
    ],
)
def test_empty_and_long_strings(account, path, name, nullable, longest):
    made = account.ok("POST", path, BODIES[path])
    address = f"{path}/{made['id']}"
    title = name.replace("_", " ").title()
    refused = (400, f"{title} must be a string between 1 and {longest} characters.", name)
    assert account.error("PATCH", address, {name: "x" * (longest + 1)}) == refused
    for empty in ("", None):
        if nullable:
            assert account.ok("PATCH", address, {name: empty})[name] is None
        else:
            assert account.error("PATCH", address, {name: empty}) == refused


@pytest.mark.parametrize(
    ("path", "sent", "kept"),
    [
        ("/customers", {"email": " Bill@ACME.com "}, {"email": "bill@acme.com"}),
        ("/customers", {"country": "de"}, {"country": "DE"}),
        ("/customers", {"currency": "EUR"}, {"currency": "eur"}),
        ("/customers", {"language": "EN"}, {"language": "en"}),
        ("/customers/1/contacts", {"email": "J@X.ORG", "country": "fr"}, {"email": "j@x.org"}),
        ("/invoices", {"currency": "EUR"}, {"currency": "eur"}),
        ("/estimates", {"approved": "ab"}, {"approved": "AB"}),
        ("/payments", {"currency": "EUR"}, {"currency": "eur"}),
    ],
)
def test_values_are_normalised(account, path, sent, kept):
    made = account.ok("POST", path, BODIES[path] | sent)
    assert made | kept == made


@pytest.mark.parametrize(
    "path",
    ["/customers", "/invoices", "/credit_notes", "/estimates", "/subscriptions", "/payments"],
)
def test_locked_records_cannot_be_edited(account, path):
    made = account.ok("POST", path, BODIES[path])
    account.emulator.lock(path[1:], made["id"])
    name = path[1:-1].replace("_", " ")
    message = f"This {name} is currently being updated by another process. Please try again later."
    address = f"{path}/{made['id']}"
    assert account.error("PATCH", address, {"metadata": {}}) == (400, message, None)
    assert account.ok("GET", address)["id"] == made["id"]
    account.emulator.clock.advance(60)
    account.ok("PATCH", address, {"metadata": {}})
