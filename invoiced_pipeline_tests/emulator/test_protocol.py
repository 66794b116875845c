"""Errors, headers and the order of checks."""

import pytest


def test_malformed_json_is_refused_before_authentication(api):
    response = api.http.post(
        "/customers", content="{", headers={"Content-Type": "application/json"}
    )
    assert (response.status_code, response.json()) == (400, {"message": "Syntax error"})


def test_json_body_that_is_not_an_object_is_ignored(api):
    assert api.error("POST", "/customers", 5) == (400, "Name is missing", "name")


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/foo", 404, "Request was not recognized: GET /foo"),
        ("PUT", "/invoices", 405, "Method not allowed: PUT /invoices"),
        ("GET", "/invoices/123", 404, "Invoice was not found: 123"),
        ("GET", "/credit_notes/5", 404, "Credit Note was not found: 5"),
        ("GET", "/estimates/5", 404, "Estimate was not found: 5"),
        (
            "GET",
            "/credit_balance_adjustments/5",
            404,
            "Credit Balance Adjustment was not found: 5",
        ),
        ("GET", "/events/5", 404, "Event was not found: 5"),
        ("GET", "/plans/x", 404, "Plan was not found: x"),
        ("GET", "/customers/1/contacts/7", 404, "Contact was not found: 7"),
    ],
)
def test_not_found(api, method, path, status, message):
    response = api(method, path)
    assert response.status_code == status
    assert response.json() == {"type": "invalid_request", "message": message}


def test_unknown_route_without_a_key_returns_401(api):
    assert api.http.get("/foo").status_code == 401


def test_headers(api):
    headers = api.get("/invoices").headers
    assert headers["Cache-Control"] == "no-cache, no-store"
    assert headers["WWW-Authenticate"] == 'Basic realm="Invoiced"'
    assert headers["Date"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert headers["X-Request-Id"]
    assert headers["X-Correlation-Id"]
    sent = {"X-Request-Id": "r1", "X-Correlation-Id": "c1", "X-App-Version": "1"}
    echoed = api.get("/invoices", headers=sent).headers
    assert (echoed["X-Request-Id"], echoed["X-Correlation-Id"]) == ("r1", "c1")
    assert "WWW-Authenticate" not in echoed


def test_compact_unless_curl(api):
    api.emulator.store.put("customers", {"id": 1, "name": "A"})
    assert api.get("/customers/1").text == '{"id":1,"name":"A"}'
    pretty = api.get("/customers/1", headers={"User-Agent": "curl/8.0"}).text
    assert pretty == '{\n    "id": 1,\n    "name": "A"\n}'


def test_missing_feature(api):
    api.emulator.account.features.clear()
    try:
        message = "Your Invoiced account does not have access to this feature"
        assert api.error("GET", "/plans") == (400, message, None)
        assert api.error("GET", "/subscriptions/1") == (400, message, None)
    finally:
        api.emulator.account.features.add("subscription_billing")


def test_optional_headers_can_be_switched_off(start):
    api = start(link_header=False, date_header=False, retry_after=7)
    headers = api.get("/invoices").headers
    assert "Link" not in headers
    assert "Date" not in headers
    assert headers["X-Total-Count"] == "0"
    api.emulator.faults.next("rate429")
    assert api.get("/invoices").headers["Retry-After"] == "7"


def test_request_log(api):
    api.get("/invoices?page=2&filter[status]=paid")
    api.get("/invoices/9")
    assert api.emulator.requests == [
        ("GET", "/invoices", {"page": "2", "filter": {"status": "paid"}}, 200),
        ("GET", "/invoices/9", {}, 404),
    ]
