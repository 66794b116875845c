"""Idempotency keys: replays, errors, and responses that are not stored."""

import pytest

TOO_SHORT = "Idempotency key is too short. Must be at least 6 characters long."
TOO_LONG = "Idempotency key is too long. Must be no longer than 64 characters."
UNSUPPORTED = (
    "Unsupported method: {}. Idempotency keys can only be used with POST and PATCH requests."
)


def keyed(key):
    return {"headers": {"Idempotency-Key": key}}


@pytest.mark.parametrize(
    ("method", "key", "message"),
    [
        ("POST", "short", TOO_SHORT),
        ("POST", "x" * 65, TOO_LONG),
        ("GET", "abcdef", UNSUPPORTED.format("GET")),
        ("PUT", "abcdef", UNSUPPORTED.format("PUT")),
        ("DELETE", "abcdef", UNSUPPORTED.format("DELETE")),
    ],
)
def test_refused_keys(api, method, key, message):
    assert api.error(method, "/customers", **keyed(key)) == (400, message, None)


@pytest.mark.parametrize("character", "{}()/\\@:")
def test_reserved_characters_return_500(api, character):
    assert (
        api("POST", "/customers", {"name": "A"}, **keyed(f"abc{character}def")).status_code == 500
    )
    assert api.emulator.store.count("customers") == 0


def test_the_first_response_is_replayed_for_any_request(api):
    first = api("POST", "/customers", {"name": "A"}, **keyed("abcdef"))
    again = api("POST", "/customers", {"name": "B"}, **keyed("abcdef"))
    elsewhere = api("PATCH", "/invoices/9", {"name": "C"}, **keyed("abcdef"))
    assert (first.status_code, again.status_code, elsewhere.status_code) == (201, 201, 201)
    assert first.content == again.content == elsewhere.content
    assert api.emulator.store.count("customers") == 1
    api.emulator.clock.advance(86_400)
    assert api.ok("POST", "/customers", {"name": "D"}, **keyed("abcdef"))["name"] == "D"


def test_errors_are_replayed(api):
    assert api("POST", "/customers", {}, **keyed("refused")).status_code == 400
    assert api("POST", "/customers", {"name": "A"}, **keyed("refused")).status_code == 400
    api.emulator.faults.next("rate5xx")
    assert api("POST", "/customers", {"name": "A"}, **keyed("broken")).status_code == 500
    assert api("POST", "/customers", {"name": "A"}, **keyed("broken")).status_code == 500
    assert api.emulator.store.count("customers") == 0


def test_responses_that_are_not_stored(api):
    faults = api.emulator.faults
    faults.next("rate429")
    assert api("POST", "/customers", {"name": "A"}, **keyed("limited")).status_code == 429
    assert api("POST", "/customers", {"name": "A"}, **keyed("limited")).status_code == 201
    faults.status5xx = 502
    faults.next("rate5xx")
    assert api("POST", "/customers", {"name": "B"}, **keyed("gateway")).status_code == 502
    assert api("POST", "/customers", {"name": "B"}, **keyed("gateway")).status_code == 201
    faults.status5xx = 500


def test_oauth_ignores_idempotency_keys(api):
    options = keyed("abcdef")
    options["headers"]["Authorization"] = f"Bearer {api.emulator.api_key}"
    for name in "AB":
        api.ok("POST", "/customers", {"name": name}, auth=None, **options)
    assert api.emulator.store.count("customers") == 2
