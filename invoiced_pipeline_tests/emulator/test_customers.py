"""Customers, contacts and tasks: writes, errors and events."""

import pytest

NULL_METADATA = (
    "The provided value for metadata.k is an invalid type. "
    "Valid types are string, boolean, number, object, and array."
)


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        ({}, "Name is missing", "name"),
        ({"name": ""}, "Name must be a string between 1 and 255 characters.", "name"),
        ({"name": "A", "email": "x"}, "Email must be a valid email address", "email"),
        ({"name": "A", "type": "x"}, "Type must be one of the allowed values", "type"),
        ({"name": "A", "country": "Narnia"}, "Country is invalid", "country"),
        ({"name": "A", "country": "ZZ"}, "Country is invalid", "country"),
        ({"name": "A", "late_fee_schedule": 5}, "Late Fee Schedule was not found: 5", None),
        ({"name": "A", "cc_gateway": 5}, "Merchant Account was not found: 5", None),
        ({"name": "A", "taxes": ["x"]}, "Taxes is invalid", "taxes"),
        ({"name": "A", "currency": "xyz"}, "Invalid currency code: xyz", None),
        ({"name": "A", "owner": 5}, "User was not found: 5", None),
        ({"name": "A", "credit_limit": "much"}, "Credit Limit only allows numbers", "credit_limit"),
        (
            {"name": "A", "credit_balance": 5},
            "Mass assignment of credit_balance on Customer is not allowed",
            None,
        ),
        (
            {"name": "A", "metadata": {str(i): "" for i in range(11)}},
            "There can only be up to 10 metadata values. 11 values were provided.",
            "metadata",
        ),
        (
            {"name": "A", "metadata": {"k" * 41: ""}},
            f"The `{'k' * 41}` metadata key exceeds the 40 character limit.",
            "metadata",
        ),
        (
            {"name": "A", "metadata": {"k": "v" * 256}},
            "The provided value for metadata.k exceeds the 255 character limit.",
            "metadata",
        ),
        ({"name": "A", "metadata": {"k": None}}, NULL_METADATA, "metadata"),
    ],
)
def test_refused_customers(api, body, message, param):
    assert api.error("POST", "/customers", body) == (400, message, param)
    assert api.emulator.store.count("customers") == 0
    assert api.events() == []


def test_create_update_delete(api):
    sent = {
        "name": "Acme",
        "email": " Bill@ACME.com ",
        "country": "de",
        "currency": "EUR",
        "unknown": 1,
        "metadata": {"a": True, "b": 5, "c": [1]},
    }
    response = api("POST", "/customers", sent)
    assert response.status_code == 201
    customer = response.json()
    assert customer["metadata"] == sent["metadata"]
    assert (customer["number"], customer["email"]) == ("CUST-00001", "bill@acme.com")
    assert (customer["country"], customer["currency"]) == ("DE", "eur")
    assert "credit_balance" not in customer
    path = f"/customers/{customer['id']}"
    assert api.ok("GET", path)["metadata"] == {"a": "1", "b": "5", "c": "[1]"}
    api.emulator.clock.advance(60)
    assert api.ok("PATCH", path, {})["updated_at"] == customer["updated_at"]
    same = api.ok("PATCH", path, {"name": "Acme"})
    assert same["updated_at"] == customer["updated_at"] + 60
    api.ok("PATCH", path, {"name": "Acme Inc", "metadata": {"x": "y"}})
    assert api("DELETE", path).status_code == 204
    assert api.get(path).status_code == 404
    created, updated, deleted = api.events()
    assert (created["type"], created["data"]["object"]["name"]) == ("customer.created", "Acme")
    assert updated["type"] == "customer.updated"
    assert updated["data"]["previous"] == {
        "name": "Acme",
        "metadata": {"a": "1", "b": "5", "c": "[1]"},
    }
    assert (deleted["type"], deleted["data"]["object"]["name"]) == ("customer.deleted", "Acme Inc")


def test_external_id_is_an_alias_of_number(api):
    made = api.ok("POST", "/customers", {"name": "A", "external_id": "X-1"})
    assert made["number"] == "X-1"


def test_autopay(api):
    made = api.ok("POST", "/customers", {"name": "A", "autopay": True, "payment_terms": "NET 5"})
    assert (made["autopay"], made["payment_terms"]) == (True, None)
    api.emulator.account.autopay_supported = False
    try:
        assert api.error("POST", "/customers", {"name": "B", "autopay": True}) == (
            400,
            "Sorry, this business does not support AutoPay. Please enable a supported payment "
            "method in Settings > Payments first.",
            "autopay",
        )
    finally:
        api.emulator.account.autopay_supported = True


def test_numbers(api):
    api.emulator.store.put("customers", {"id": 40, "number": "CUST-00041", "name": "Old"})
    assert api.ok("POST", "/customers", {"name": "New"})["number"] == "CUST-00042"
    message = "The given customer number has already been taken: cust-00041"
    assert api.error("POST", "/customers", {"name": "B", "number": "cust-00041"}) == (
        400,
        message,
        "number",
    )
    error = api.error("PATCH", "/customers/40", {"number": None})
    assert error == (400, "Number must be a string between 1 and 32 characters.", "number")


def test_parents(api):
    one = api.ok("POST", "/customers", {"name": "1"})["id"]
    two = api.ok("POST", "/customers", {"name": "2", "parent_customer": one})["id"]
    assert api.error("PATCH", f"/customers/{one}", {"parent_customer": one}) == (
        400,
        "Cannot set parent customer as self.",
        "parent_customer",
    )
    assert api.error("PATCH", f"/customers/{one}", {"parent_customer": two}) == (
        400,
        "Cannot set sub-customer as a parent.",
        "parent_customer",
    )
    for name in "345":
        two = api.ok("POST", "/customers", {"name": name, "parent_customer": two})["id"]
    assert api.error("POST", "/customers", {"name": "6", "parent_customer": two}) == (
        400,
        "A customer cannot have more than five levels of sub-customers.",
        "parent_customer",
    )


def test_delete_cascades_without_events(api):
    store = api.emulator.store
    store.put("customers", {"id": 1, "name": "A"})
    gone = ("payments", "transactions", "credit_balance_adjustments", "contacts", "notes", "tasks")
    for collection in (*gone, "charges"):
        store.put(collection, {"id": 1, "customer": 1})
    store.put("subscriptions", {"id": 1, "customer": 1, "status": "active"})
    store.put("estimates", {"id": 1, "customer": 1})
    assert api.error("DELETE", "/customers/1?x=1") == (
        400,
        "The option 'x' does not exist. Defined options are: ''.",
        "query",
    )
    assert api.error("DELETE", "/customers/1")[1] == "Customers with transactions cannot be deleted"
    store.remove("estimates", 1)
    assert api.error("DELETE", "/customers/1")[1] == (
        "Customers with an active subscription cannot be deleted"
    )
    assert api.error("PATCH", "/customers/1", {"active": False})[1:] == (
        "Customers with an active subscription cannot be deactivated",
        "active",
    )
    store.put("subscriptions", {"id": 1, "customer": 1, "status": "canceled"})
    assert api("DELETE", "/customers/1").status_code == 204
    assert [store.count(collection) for collection in (*gone, "subscriptions")] == [0] * 7
    assert store.count("charges") == 1
    assert [event["type"] for event in api.events()] == ["customer.deleted"]


def test_merge(api):
    store = api.emulator.store
    store.put("customers", {"id": 1, "name": "Keeps", "updated_at": 5})
    store.put("customers", {"id": 2, "name": "Goes"})
    store.put("invoices", {"id": 3, "customer": 2, "updated_at": 7})
    assert api("POST", "/customers/1/merge", {"customer": 2}).status_code == 204
    assert store.get("customers", 2) is None
    assert store.get("invoices", 3) == {"id": 3, "customer": 1, "updated_at": 7}
    (event,) = api.events()
    assert event["type"] == "customer.merged"
    assert event["data"]["object"]["id"] == 1
    assert event["data"]["object"]["original_customer"]["id"] == 2


def test_contacts(api):
    api.emulator.store.put("customers", {"id": 1, "name": "A", "country": "US"})
    assert api.error("POST", "/customers/9/contacts", {"name": "x"}) == (
        404,
        "Customer was not found: 9",
        None,
    )
    assert api.error("POST", "/customers/1/contacts", {}) == (400, "Name is missing", "name")
    status, message, param = api.error("POST", "/customers/1/contacts", {"foo": 1})
    assert (status, param) == (400, "request")
    assert message.startswith("The option 'foo' does not exist. Defined options are: 'address1', ")
    assert api.error("POST", "/customers/1/contacts", {"name": "Jan", "role": 5}) == (
        400,
        "Role was not found: 5",
        None,
    )
    contact = api.ok("POST", "/customers/1/contacts", {"name": "Jan"})
    assert (contact["primary"], contact["country"], contact["customer_id"]) == (True, "US", 1)
    path = f"/customers/1/contacts/{contact['id']}"
    assert api.ok("PATCH", path, {"email": "JAN@x.org"})["email"] == "jan@x.org"
    assert api("DELETE", f"/customers/2/contacts/{contact['id']}").status_code == 404
    assert api("DELETE", path).status_code == 204
    assert [event["type"] for event in api.events()] == [
        "contact.created",
        "contact.updated",
        "contact.deleted",
    ]


def test_contacts_are_limited_to_100(api):
    api.emulator.store.put("customers", {"id": 1, "name": "A"})
    rows = [{"id": i, "object": "contact", "customer": 1} for i in range(1, 101)]
    api.emulator.store.put_many("contacts", rows)
    assert api.error("POST", "/customers/1/contacts", {"name": "x"}) == (
        400,
        "The maximum number of contacts (100) per customer has been reached.",
        None,
    )


def test_tasks(api):
    due = {"due_date": 5}
    for body, message, param in (
        ({}, "Action is missing", "action"),
        ({"action": "phone"}, "Due Date is missing", "due_date"),
        ({"action": "phone"} | due, "Name is missing", "name"),
        ({"customer_id": 9}, "No such customer: 9", "customer_id"),
    ):
        assert api.error("POST", "/tasks", body) == (400, message, param)
    assert api.error("POST", "/tasks", {"customer": 1})[2] == "request"
    task = api.ok("POST", "/tasks", {"action": "phone", "name": "Call"} | due)
    assert "object" not in task
    done = api.ok("PATCH", f"/tasks/{task['id']}", {"complete": True})
    assert done["completed_date"] == api.emulator.clock.now()
    assert [event["type"] for event in api.events()] == [
        "task.created",
        "task.updated",
        "task.completed",
    ]
