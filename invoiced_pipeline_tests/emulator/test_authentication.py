"""Authentication, and its errors."""

import os

import pytest

MISSING = (
    "Missing API key! HINT: You can pass in your API key as the username parameter using HTTP "
    "Basic Auth."
)
CONTACT = "Please contact us at support@invoiced.com or visit https://app.invoiced.com to"


@pytest.fixture(scope="module")
def shared(start):
    return start(
        keys={
            "left00000000000000000000000000ab": "left",
            "canceled000000000000000000000000": "canceled",
            "trial000000000000000000000000000": "trial_ended",
            "member00000000000000000000000000": "member_without_permission",
        }
    )


@pytest.mark.parametrize(
    ("auth", "status", "message"),
    [
        (None, 401, MISSING),
        (("", ""), 401, MISSING),
        (
            ("abcdefghijklmnop", ""),
            401,
            "We could not authenticate you with the API Key: abc**********nop",
        ),
        (("abcdef", ""), 401, "We could not authenticate you with the API Key: abcdef"),
        (("blah", "key"), 401, "We did not find an account matching the username: blah"),
        (
            ("left00000000000000000000000000ab", ""),
            401,
            "You are no longer a member of this account",
        ),
        (
            ("canceled000000000000000000000000", ""),
            402,
            f"This account has been canceled. {CONTACT} reactivate it.",
        ),
        (
            ("trial000000000000000000000000000", ""),
            402,
            f"Your trial has ended. {CONTACT} subscribe.",
        ),
    ],
)
def test_refused_keys(api, auth, status, message):
    response = api.http.get("/invoices", auth=auth) if auth else api.http.get("/invoices")
    assert response.status_code == status
    assert response.json() == {"type": "invalid_request", "message": message}


def test_accepted_forms(api):
    key = api.emulator.api_key
    assert api.http.get("/invoices", auth=(key, "")).status_code == 200
    assert api.http.get("/invoices", auth=("emulator", key)).status_code == 200
    bearer = {"Authorization": f"Bearer {key}"}
    assert api.http.get("/invoices", headers=bearer).status_code == 200


def test_member_without_permission_may_only_read(api):
    auth = ("member00000000000000000000000000", "")
    assert api.get("/customers", auth=auth).status_code == 200
    assert api.error("POST", "/customers", {"name": "A"}, auth=auth) == (
        403,
        "You do not have permission to do that",
        None,
    )


def test_forbidden_collections_return_403(api):
    refusal = (403, "You do not have permission to do that", None)
    api.emulator.account.forbidden.add("customers")
    try:
        assert api.error("GET", "/customers") == refusal
        assert api.error("GET", "/customers/1/notes") == refusal
        assert api.error("POST", "/customers", {"name": "A"}) == refusal
        assert api.get("/invoices").status_code == 200
    finally:
        api.emulator.account.forbidden.clear()


def test_health_needs_no_key(api):
    answer = api.http.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": ":memory:", "process": os.getpid()}
