"""Lines, notes, messages, plans, files and write-offs: what belongs to customers and documents."""

import pytest

NO_PENDING = (400, "There are no pending line items to invoice.", None)


@pytest.fixture
def customer(api):
    record = {"id": 1, "object": "customer", "name": "A", "number": "C", "email": "a@example.org"}
    api.emulator.store.put("customers", record)
    return api


@pytest.fixture
def invoice(customer):
    body = {"customer": 1, "items": [{"name": "Paper", "unit_cost": 10}]}
    return customer.ok("POST", "/invoices", body)


def test_inline_customer_is_created_or_looked_up(customer):
    lines = {"items": [{"unit_cost": 1}]}
    made = customer.ok("POST", "/invoices", {"customer": {"name": "New", "number": "N"}} | lines)
    assert customer.ok("GET", f"/customers/{made['customer']}")["name"] == "New"
    for inline in ({"number": "N", "name": "New"}, {"id": made["customer"]}):
        again = customer.ok("POST", "/invoices", {"customer": inline} | lines)
        assert again["customer"] == made["customer"]
    assert customer.error("POST", "/invoices", {"customer": {}} | lines)[1:] == (
        "Name is missing",
        "name",
    )
    assert customer.error("POST", "/invoices", {"customer": {"id": 9}} | lines)[1:] == (
        "No such customer: 9",
        "customer",
    )


@pytest.mark.parametrize("path", ["invoices", "credit_notes", "estimates"])
def test_line_items_of_a_document(customer, path):
    document = customer.ok("POST", f"/{path}", {"customer": 1, "items": [{"unit_cost": 10}]})
    lines = f"/{path}/{document['id']}/line_items"
    customer.emulator.clock.advance(60)
    response = customer("POST", lines, {"name": "Glue", "unit_cost": 5})
    assert response.status_code == 201
    line = f"{lines}/{response.json()['id']}"
    assert customer.ok("GET", f"/{path}/{document['id']}")["total"] == 15
    assert [each["unit_cost"] for each in customer.ok("GET", f"{lines}?per_page=1&page=2")] == [5]
    customer.emulator.clock.advance(60)
    renamed = customer.ok("PATCH", line, {"name": "Tape"})
    assert customer.ok("GET", line) == renamed
    stored = customer.ok("GET", f"/{path}/{document['id']}")
    # Only a change of the amount moves the document's updated_at, another name does not.
    assert stored["updated_at"] == document["updated_at"] + 60
    assert customer.ok("PATCH", line, {"quantity": 3})["amount"] == 15
    stored = customer.ok("GET", f"/{path}/{document['id']}")
    assert (stored["total"], stored["updated_at"]) == (25, document["updated_at"] + 120)
    assert customer("DELETE", line).status_code == 204
    assert customer.ok("GET", f"/{path}/{document['id']}")["total"] == 10
    missing = line.rsplit("/", maxsplit=1)[-1]
    assert customer.error("GET", line) == (404, f"Line Item was not found: {missing}", None)


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("invoices", "Invoice"),
        ("credit_notes", "Credit Note"),
        ("estimates", "Estimate"),
        ("customers", "Customer"),
    ],
)
def test_lines_of_missing_documents(api, path, title):
    expected = (404, f"{title} was not found: 9", None)
    assert api.error("POST", f"/{path}/9/line_items", {"name": "x"}) == expected


def test_invoice_from_pending_lines(customer):
    assert customer.error("POST", "/customers/1/invoices") == NO_PENDING
    path = "/customers/1/line_items"
    first = customer.ok("POST", path, {"name": "Paper", "unit_cost": 2})
    second = customer.ok("POST", path, {"name": "Glue", "unit_cost": 1})
    assert customer.ok("PATCH", f"{path}/{first['id']}", {"quantity": 4})["amount"] == 8
    assert customer("DELETE", f"{path}/{second['id']}").status_code == 204
    assert customer.ok("GET", f"{path}/{first['id']}")["amount"] == 8
    response = customer("POST", "/customers/1/invoices", {"notes": "x"})
    assert response.status_code == 201
    assert (response.json()["total"], response.json()["notes"]) == (8, "x")
    assert customer.ok("GET", path) == []
    types = [event["type"] for event in customer.events()]
    changes = [each for each in types if each.startswith("line_item.")]
    # The invoice uses the updated line, and deletes it.
    assert sorted(changes) == sorted(
        ["line_item.created", "line_item.deleted"] * 2 + ["line_item.updated"]
    )


def test_consolidated_invoices(customer, invoice):
    other = customer.ok("POST", "/invoices", {"customer": 1, "items": [{"unit_cost": 5}]})
    response = customer("POST", "/customers/1/consolidate_invoices")
    assert response.status_code == 200
    made = response.json()
    assert (made["name"], made["total"]) == ("Consolidated Invoice", 15)
    for each in (invoice, other):
        path = f"/invoices/{each['id']}?include=consolidated_invoice_id"
        merged = customer.ok("GET", path)
        assert (merged["status"], merged["consolidated_invoice_id"]) == ("voided", made["id"])
    customer.ok("POST", f"/invoices/{made['id']}/void")
    assert customer.error("POST", "/customers/1/consolidate_invoices")[0] == 400


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "Notes is missing", "notes")),
        ({"notes": "x", "customer_id": 9}, (404, "Customer was not found: 9", None)),
        ({"notes": "x", "invoice_id": 9}, (404, "Invoice was not found: 9", None)),
    ],
)
def test_refused_notes(api, body, expected):
    assert api.error("POST", "/notes", body) == expected


def test_notes(customer, invoice):
    on_customer = customer.ok("POST", "/notes", {"notes": "x", "customer_id": 1})
    on_invoice = customer.ok("POST", "/notes", {"notes": "y", "invoice_id": invoice["id"]})
    later = customer.ok("POST", "/notes", {"notes": "z", "customer_id": 1})
    path = "/customers/1/notes?sort=id asc"
    assert [each["id"] for each in customer.ok("GET", path)] == [later["id"], on_customer["id"]]
    (found,) = customer.ok("GET", f"/invoices/{invoice['id']}/notes")
    assert (found["invoice"], found["invoice_id"], found["customer"]) == (
        invoice["id"],
        invoice["id"],
        None,
    )
    assert customer.ok("PATCH", f"/notes/{on_invoice['id']}", {"notes": "w"})["notes"] == "w"
    assert customer.error("GET", f"/notes/{later['id']}")[0] == 405
    assert customer("DELETE", f"/notes/{later['id']}").status_code == 204
    assert len(customer.events("note.created", "note.updated", "note.deleted")) == 5


@pytest.mark.parametrize("path", ["invoices", "credit_notes", "estimates"])
def test_emailing_marks_a_document_sent(customer, path):
    body = {"customer": 1, "items": [{"unit_cost": 1}]}
    document = customer.ok("POST", f"/{path}", body)
    to = [{"name": "B", "email": "b@example.org"}]
    response = customer("POST", f"/{path}/{document['id']}/emails", {"to": to, "subject": "Hi"})
    assert response.status_code == 201
    (email,) = response.json()
    assert (email["object"], email["email"], email["state"]) == ("email", "b@example.org", "sent")
    sent = customer.ok("GET", f"/{path}/{document['id']}?include=sent")
    assert sent["sent"] is True
    assert customer.ok("POST", f"/{path}", body | {"send": True})["id"]
    assert len(customer.events("email.sent")) == 2


def test_messages_about_customers_and_payments(customer, invoice):
    payment = customer.ok("POST", "/payments", {"amount": 1, "customer": 1})
    for path in (
        "/customers/1/emails",
        f"/payments/{payment['id']}/emails",
        f"/invoices/{invoice['id']}/text_messages",
        f"/invoices/{invoice['id']}/letters",
    ):
        assert customer("POST", path).status_code == 201
    assert len(customer.events("email.sent", "text_message.sent", "letter.sent")) == 4
    customer.ok("PATCH", "/customers/1", {"email": None})
    assert customer.error("POST", "/customers/1/emails")[::2] == (400, "to")


@pytest.mark.parametrize("path", ["invoices", "credit_notes", "estimates", "payments"])
def test_pdf(api, path):
    api.emulator.store.put(path, {"id": 1, "name": "In (voice)", "number": "é-1"})
    response = api.get(f"/{path}/1", headers={"Accept": "application/pdf"})
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-1.4\n")
    assert response.content.endswith(b"%%EOF")
    assert api.get(f"/{path}/9", headers={"Accept": "application/pdf"}).status_code == 404


def test_payment_plan(customer, invoice):
    path = f"/invoices/{invoice['id']}/payment_plan"
    assert customer.error("GET", path)[0] == 404
    halves = [{"date": 5, "amount": 5}, {"date": 6, "amount": 5}]
    assert customer.error("PUT", path, {"installments": halves[:1]})[2] == "installments"
    response = customer("PUT", path, {"installments": halves})
    assert response.status_code == 200
    plan = response.json()
    assert [each["balance"] for each in plan["installments"]] == [5, 5]
    assert customer.ok("GET", f"/invoices/{invoice['id']}")["payment_plan"] == plan["id"]
    change = {"items": [{"unit_cost": 1}]}
    assert customer.error("PATCH", f"/invoices/{invoice['id']}", change)[::2] == (400, "total")
    assert customer.error("PUT", path, {"installments": halves}, headers={"Idempotency-Key": "k"})[
        1
    ].startswith("Unsupported method: PUT.")
    assert customer("DELETE", path).status_code == 204
    assert customer.ok("GET", f"/invoices/{invoice['id']}")["payment_plan"] is None
    types = [event["type"] for event in customer.events() if "plan" in event["type"]]
    assert types == ["payment_plan.created", "payment_plan.deleted"]


def test_total_with_a_pending_payment(customer, invoice):
    customer.ok(
        "POST", "/transactions", {"invoice": invoice["id"], "amount": 5, "status": "pending"}
    )
    path = f"/invoices/{invoice['id']}"
    assert customer.ok("GET", path)["status"] == "pending"
    change = {"items": [{"unit_cost": 1}]}
    assert customer.error("PATCH", path, change)[::2] == (400, "total")
    assert customer.ok("PATCH", path, {"notes": "x"})["notes"] == "x"


def test_bad_debt(customer, invoice):
    path = f"/invoices/{invoice['id']}"
    written_off = customer.ok("POST", f"{path}/bad_debt")
    assert (written_off["status"], written_off["closed"], written_off["paid"]) == (
        "bad_debt",
        True,
        False,
    )
    (note,) = customer.ok("GET", "/credit_notes")
    assert (note["name"], note["total"], note["status"]) == ("Bad Debt", 10, "paid")
    hidden = customer.ok("GET", f"{path}?include=amount_written_off,date_bad_debt")
    assert hidden["amount_written_off"] == 10
    assert hidden["date_bad_debt"] == customer.emulator.clock.now()
    status, message, param = customer.error("POST", f"{path}/bad_debt")
    assert (status, param) == (500, None)
    assert message.startswith("There was an error processing your request.")


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        ({"customer": 1}, "Amount is invalid", "amount"),
        ({"customer": 1, "amount": 0}, "Amount is invalid", "amount"),
        ({"customer": 1, "amount": -5}, "Amount is invalid", "amount"),
        ({"customer": 1, "amount": -5, "type": "refund"}, "Amount is invalid", "amount"),
        ({"customer": 9, "amount": 5}, "No such customer: 9", "customer"),
        ({"amount": 5}, "Customer missing", "customer"),
        ({"invoice": 9, "amount": 5}, "No such invoice: 9", "invoice"),
        (
            {"customer": 1, "amount": 5, "type": "x"},
            "Type must be one of the allowed values",
            "type",
        ),
    ],
)
def test_refused_transactions(customer, body, message, param):
    assert customer.error("POST", "/transactions", body) == (400, message, param)


def test_transaction_without_a_payment(customer, invoice):
    response = customer("POST", "/transactions", {"invoice": invoice["id"], "amount": 4})
    assert response.status_code == 201
    made = response.json()
    assert (made["type"], made["method"], made["status"]) == ("payment", "other", "succeeded")
    assert customer.ok("GET", f"/invoices/{invoice['id']}")["balance"] == 6
    assert customer.ok("PATCH", f"/transactions/{made['id']}", {"notes": "x"})["notes"] == "x"
    assert customer("DELETE", f"/transactions/{made['id']}").status_code == 204
    assert customer.ok("GET", f"/invoices/{invoice['id']}")["balance"] == 10
    types = [event["type"] for event in customer.events() if "transaction" in event["type"]]
    assert types == ["transaction.created", "transaction.updated", "transaction.deleted"]
    credit = {"customer": 1, "type": "adjustment", "method": "balance", "amount": -7}
    customer.ok("POST", "/transactions", credit)
    assert customer.ok("GET", "/customers/1/balance")["available_credits"] == 7


def test_edits_of_transactions(customer):
    payment = customer.ok("POST", "/payments", {"amount": 5, "customer": 1})
    store = customer.emulator.store
    store.put("transactions", {"id": 7, "customer": 1, "payment": payment["id"], "metadata": {}})
    store.put("transactions", {"id": 8, "customer": 1, "type": "charge", "method": "x"})
    assert customer.error("PATCH", "/transactions/7", {"notes": "x"}) == (
        400,
        "You cannot edit a transaction with an associated payment.",
        None,
    )
    changed = customer.ok("PATCH", "/transactions/7", {"metadata": {"a": "b"}})
    assert changed["metadata"] == {"a": "b"}
    changed = customer.ok("PATCH", "/transactions/8", {"method": "cash", "notes": "x"})
    assert (changed["method"], changed["notes"]) == ("x", "x")


def test_attachments(customer):
    file = customer.ok("POST", "/files", {"name": "a.pdf", "url": "https://example.org/a"})
    body = {"customer": 1, "items": [{"unit_cost": 1}], "attachments": [file["id"]]}
    made = customer.ok("POST", "/invoices", body)
    (attached,) = customer.ok("GET", f"/invoices/{made['id']}/attachments")
    assert attached["file"]["name"] == "a.pdf"
    assert customer.error("POST", "/invoices", body | {"attachments": [99]})[0] == 404
    assert customer("DELETE", f"/files/{file['id']}").status_code == 204


def test_daily_quota(customer):
    customer.emulator.account.daily_documents = 1
    try:
        body = {"customer": 1, "items": [{"unit_cost": 1}]}
        customer.ok("POST", "/estimates", body)
        status, message, param = customer.error("POST", "/invoices", body)
        assert (status, param) == (400, None)
        assert message.startswith("The 1 transaction per day quota has been reached. ")
        customer.emulator.clock.advance(86_400)
        customer.ok("POST", "/invoices", body)
    finally:
        customer.emulator.account.daily_documents = None


def test_estimate_whose_invoice_is_refused(customer):
    estimate = customer.ok("POST", "/estimates", {"customer": 1, "items": [{"unit_cost": 1}]})
    customer.ok("PATCH", "/customers/1", {"active": False})
    assert customer.error("POST", f"/estimates/{estimate['id']}/invoice")[:2] == (
        400,
        "Could not generate invoice from estimate: "
        "This cannot be created because the customer is inactive",
    )


@pytest.mark.parametrize(
    ("user", "message"),
    [(9, "No such user: 9"), (8, "User is not a member of this company: 8")],
)
def test_owners_must_be_members(customer, user, message):
    account = customer.emulator.account
    account.members, account.former_members = {7}, {8}
    try:
        task = {"name": "Call", "action": "phone", "due_date": 5}
        expected = (400, message, "user_id")
        assert customer.error("POST", "/tasks", task | {"user_id": user}) == expected
        assert customer.ok("POST", "/tasks", task | {"user_id": 7})["user_id"] == 7
        expected = (400, f"User was not found: {user}", None)
        assert customer.error("PATCH", "/customers/1", {"owner": user}) == expected
        assert customer.ok("PATCH", "/customers/1", {"owner": 7})["owner_id"] == 7
    finally:
        account.members, account.former_members = set(), set()


@pytest.mark.parametrize("path", ["coupons", "tax_rates"])
def test_coupons_and_tax_rates(api, path):
    assert api.error("POST", f"/{path}", {}) == (400, "Name is missing", "name")
    assert api.error("POST", f"/{path}", {"name": "x"}) == (400, "Value is missing", "value")
    made = api.ok("POST", f"/{path}", {"id": "five", "name": "Five", "value": 5})
    assert (made["is_percent"], made["currency"]) == (True, None)
    assert api.error("POST", f"/{path}", {"id": "five", "name": "x", "value": 1}) == (
        400,
        "An item already exists with ID: five",
        "id",
    )
    changed = api.ok("PATCH", f"/{path}/five", {"name": "5 %", "value": 9})
    assert (changed["name"], changed["value"]) == ("5 %", 5)
    for _ in range(2):
        assert api("DELETE", f"/{path}/five").status_code == 204
    assert api.ok("GET", f"/{path}") == []
    assert api.ok("GET", f"/{path}/five")["id"] == "five"
    flat = api.ok("POST", f"/{path}", {"name": "x", "value": 1, "is_percent": False})
    assert flat["currency"] == "usd"
    assert api.events() == []
