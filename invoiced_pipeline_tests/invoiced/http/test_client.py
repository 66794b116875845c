"""The client: limited retries, errors that name the remedy, and a key that is never shown."""

import logging
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from invoiced_emulator.http.fault_injection import Fault
from invoiced_emulator.server import Emulator
from invoiced_pipeline.exceptions import (
    AccountInactiveError,
    ApiError,
    AuthenticationError,
    ContractError,
    FeatureNotEnabledError,
    HostUnreachableError,
    NoSuchListError,
    PermissionDeniedError,
    RateLimitedError,
    RequestRefusedError,
    TransientApiError,
)
from invoiced_pipeline.invoiced.http.client import InvoicedClient, RetryPolicy
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline_tests.conftest import SHORT_RETRIES, customer
from invoiced_pipeline_tests.invoiced.handmade import HandmadeApi, Reply

KEY = "secret7890abcdefghijklmnop123456"


def client_of(url: str, key: str = KEY, **options: object) -> InvoicedClient:
    return InvoicedClient(url, SecretStr(key), **{"retry_policy": SHORT_RETRIES, **options})


@pytest.mark.parametrize("fault", ["rate429", "rate5xx", "drop_connection", "lose_response"])
@pytest.mark.parametrize("body", ["empty", "large"])
def test_transient_errors_are_retried(
    emulator: Emulator, client: InvoicedClient, fault: Fault, body: str
) -> None:
    count = 0 if body == "empty" else 80
    emulator.store.put_many("customers", [customer(number + 1) for number in range(count)])
    emulator.faults.next(fault, count=3)
    tally = Tally()
    answer = client.list_page("/customers", (), tally)
    assert answer.total == count
    assert (tally.requests, tally.retries) == (4, 3)


@pytest.mark.parametrize("count", [1, 80])
def test_truncated_body_is_retried(emulator: Emulator, client: InvoicedClient, count: int) -> None:
    emulator.store.put_many("customers", [customer(number + 1) for number in range(count)])
    emulator.faults.next("truncate_body", count=2)
    tally = Tally()
    assert client.list_page("/customers", (), tally).body.endswith(b"]")
    assert tally.requests == 3


@pytest.mark.parametrize("body", [b"", b"  ", b"[", b'[{"id": 1}', b'[{"id": 1},'])
def test_body_that_breaks_off_without_the_protocol_noticing(body: bytes) -> None:
    replies = iter([body, b'[{"id": 1}]\n'])
    with HandmadeApi(reply=lambda *_: (200, {}, next(replies))) as api:
        client = client_of(api.url)
        assert client.list_page("/customers", ()).body == b'[{"id": 1}]\n'
        client.close()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_tries_are_limited(emulator: Emulator, client: InvoicedClient, status: int) -> None:
    emulator.faults.status5xx = status
    emulator.faults.rate5xx = 1.0
    tally = Tally()
    with pytest.raises(TransientApiError) as caught:
        client.list_page("/customers", (), tally)
    assert caught.value.status == status
    assert caught.value.path == "/customers"
    assert tally.requests == SHORT_RETRIES.attempts == len(emulator.requests)


@pytest.mark.parametrize(
    ("retry_after", "waited"),
    [("7", 7), ("0", 0), ("1.5", 1.5), ("86400", 300), ("-3", 0), ("soon", None), (None, None)],
)
def test_retry_after_is_honoured_but_never_needed(
    retry_after: str | None, waited: float | None
) -> None:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    replies: list[Reply] = [(429, headers, b"{}"), (200, {}, b"[]")]
    waits: list[float] = []
    with HandmadeApi(reply=lambda *_: replies.pop(0)) as api:
        client = client_of(api.url, retry_policy=RetryPolicy(longest_wait=0.25))
        client._closed.wait = waits.append  # type: ignore[method-assign, assignment]
        tally = Tally()
        assert client.list_page("/customers", (), tally).body == b"[]"
    (wait,) = waits
    assert tally.wait_seconds >= wait
    assert wait <= 0.25 if waited is None else wait == waited


def test_closing_ends_the_waiting(emulator: Emulator) -> None:
    emulator.faults.rate429 = 1.0
    emulator.account.retry_after = 250
    client = client_of(emulator.url, emulator.api_key)
    asked = threading.Event()
    emulator.faults.rate429 = 1.0
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(client.list_page, "/customers", ())
        while not emulator.requests:
            asked.wait(0.005)
        client.close()
        with pytest.raises(ApiError):
            future.result(timeout=30)


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, '{"message": "Invalid filter parameter: x"}', RequestRefusedError, "Invalid filter"),
        (
            400,
            '{"message": "Your Invoiced account does not have access to this feature"}',
            FeatureNotEnabledError,
            "does not have access",
        ),
        (400, '{"message": "no", "param": "query"}', RequestRefusedError, "parameter query"),
        (401, '{"message": "Missing API key!"}', AuthenticationError, "Check the API key"),
        (402, '{"message": "Your trial has ended."}', AccountInactiveError, "trial has ended"),
        (
            400,
            '{"message": "No: Your Invoiced account does not have access to this feature x"}',
            RequestRefusedError,
            "does not have access",
        ),
        (
            403,
            '{"message": "You do not have permission to do that"}',
            PermissionDeniedError,
            "permission",
        ),
        (403, "<html>Forbidden</html>", RequestRefusedError, "a proxy or a firewall"),
        (403, '{"message": "Blocked"}', RequestRefusedError, "a proxy or a firewall"),
        (404, '{"message": "Request was not recognized"}', NoSuchListError, "not recognized"),
        (404, "<html>Not found</html>", RequestRefusedError, "404"),
        (405, "{}", RequestRefusedError, "405"),
        (418, "<html>teapot</html>", RequestRefusedError, "no error message"),
        (429, '{"message": "Too many concurrent requests!"}', RateLimitedError, "concurrent"),
        (500, '{"type": "api_error", "message": "oops"}', TransientApiError, "oops"),
        (502, "<html>bad gateway</html>", TransientApiError, "502"),
        (503, "", TransientApiError, "503"),
        (200, '{"message": "Syntax error"}', ContractError, "JSON array"),
        (200, "<html>log in</html>", ContractError, "api_url"),
        (204, "", RequestRefusedError, "204"),
        (400, "[1, 2]", RequestRefusedError, "400"),
        (400, '{"message": 5}', RequestRefusedError, "400"),
        (400, '{"message": null}', RequestRefusedError, "400"),
        (500, b"\xff\xfe\x00", TransientApiError, "500"),
    ],
)
def test_each_status_raises_the_error_that_names_the_remedy(
    status: int, body: str | bytes, kind: type[ApiError], said: str
) -> None:
    content = body if isinstance(body, bytes) else body.encode()
    with HandmadeApi(reply=lambda *_: (status, {}, content)) as api:
        client = client_of(api.url, retry_policy=RetryPolicy(attempts=2, longest_wait=0))
        with pytest.raises(ApiError, match=said) as caught:
            client.list_page("/invoices", (("page", "1"),))
    assert type(caught.value) is kind
    assert caught.value.path == "/invoices"
    assert caught.value.status == status
    tries = 2 if issubclass(kind, TransientApiError) else 1
    assert len(api.requests) == tries


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_refused_and_not_followed(status: int) -> None:
    with HandmadeApi(body=b"[]") as other:
        location = {"Location": f"{other.url}/customers"}
        with HandmadeApi(reply=lambda *_: (status, location, b"")) as api:
            client = client_of(api.url)
            with pytest.raises(RequestRefusedError, match="redirect"):
                client.list_page("/customers", ())
        assert len(api.requests) == 1
        assert other.requests == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1", "refused"),
        ("http://nowhere.invalid", "name is unknown"),
    ],
)
def test_host_that_cannot_be_reached(url: str, reason: str) -> None:
    client = client_of(url, retry_policy=RetryPolicy(attempts=2, longest_wait=0))
    with pytest.raises(HostUnreachableError, match=reason):
        client.list_page("/customers", ())


def test_http_server_at_an_https_address_is_a_plain_error(emulator: Emulator) -> None:
    client = client_of(f"https://127.0.0.1:{emulator.port}", retry_policy=RetryPolicy(attempts=1))
    with pytest.raises(TransientApiError, match="/customers"):
        client.list_page("/customers", ())


ANSWERS_WITH_THE_KEY: list[tuple[int, str]] = [
    (401, f"We could not authenticate you with the API Key: {KEY[:3]}**********{KEY[-3:]}"),
    (401, f"We could not authenticate you with the API Key: {KEY}"),
    (401, f"We did not find an account matching the username: {KEY}"),
    (400, f"Invalid header value: {KEY}"),
    (500, f"exception near {KEY}"),
]


@pytest.mark.parametrize(("status", "message"), ANSWERS_WITH_THE_KEY)
def test_key_is_in_no_text(caplog: pytest.LogCaptureFixture, status: int, message: str) -> None:
    caplog.set_level(logging.DEBUG)
    body = f'{{"message": "{message}"}}'.encode()
    with HandmadeApi(reply=lambda *_: (status, {"Location": f"http://{KEY}@x"}, body)) as api:
        client = client_of(api.url, retry_policy=RetryPolicy(attempts=2, longest_wait=0))
        with pytest.raises(ApiError) as caught:
            client.list_page("/customers", ())
        shown = [repr(client), str(client), repr(caught.value), caplog.text]
        shown += traceback.format_exception(caught.value)
        error: BaseException | None = caught.value
        while error is not None:
            shown.append(repr(error))
            error = error.__cause__ or error.__context__
    text = "\n".join(shown)
    assert KEY not in text
    assert f"{KEY[:3]}***" not in text
    assert f"***{KEY[-3:]}" not in text


def test_key_is_in_no_text_of_a_redirect() -> None:
    reply = (302, {"Location": f"http://{KEY}@elsewhere.invalid/"}, b"")
    with HandmadeApi(reply=lambda *_: reply) as api, pytest.raises(ApiError) as caught:
        client_of(api.url).list_page("/customers", ())
    assert KEY not in str(caught.value)


def test_key_is_in_no_text_when_the_connection_breaks(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    emulator.faults.drop_connection = 1.0
    client = client_of(emulator.url, emulator.api_key)
    with pytest.raises(TransientApiError) as caught:
        client.list_page("/customers", ())
    shown = caplog.text + "".join(traceback.format_exception(caught.value))
    assert emulator.api_key not in shown
    assert "Basic" not in shown


def test_wrong_key_and_states_of_a_key(emulator: Emulator) -> None:
    emulator.keys["wrong-state"] = "canceled"
    for key, kind in {KEY: AuthenticationError, "wrong-state": AccountInactiveError}.items():
        with pytest.raises(kind):
            client_of(emulator.url, key).list_page("/customers", ())


@pytest.mark.parametrize("capacity", [1, 3, 12])
def test_requests_in_flight_never_exceed_the_limit(emulator: Emulator, capacity: int) -> None:
    emulator.faults.latency_ms = 15
    # Two connections with one key.
    clients = [
        client_of(emulator.url, emulator.api_key, requests_in_flight=most)
        for most in (capacity, 20)
    ]
    with ThreadPoolExecutor(24) as executor:
        for number in range(capacity * 5):
            executor.submit(clients[number % 2].list_page, "/customers", ())
    assert 1 <= emulator.peak_in_flight <= capacity
    assert {status for *_, status in emulator.requests} == {200}


def test_a_429_lowers_the_limit(emulator: Emulator) -> None:
    # Another program uses the key, too: only five of our twelve places are free.
    # Clients of other tests may share the limit of the usual key.
    emulator.keys["a key of its own"] = "active"
    emulator.account.request_limit = 5
    emulator.faults.latency_ms = 10
    retry_policy = RetryPolicy(attempts=20, longest_wait=0.05)
    client = client_of(
        emulator.url, "a key of its own", requests_in_flight=12, retry_policy=retry_policy
    )
    with ThreadPoolExecutor(24) as executor:
        futures = [executor.submit(client.list_page, "/customers", ()) for _ in range(60)]
    assert all(future.result().body == b"[]" for future in futures)
    assert client.limit.capacity < client.limit.maximum == 12


def test_total_and_clock_are_returned(emulator: Emulator, client: InvoicedClient) -> None:
    emulator.store.put("customers", customer(1))
    answer = client.list_page("/customers", (("per_page", "1"),))
    assert answer.total == 1
    assert answer.server_time is not None
    assert int(answer.server_time.timestamp()) == emulator.clock.now()
    emulator.account.date_header = False
    answer = client.list_page("/customers", (("paginate", "none"),))
    assert (answer.total, answer.server_time) == (None, None)


@pytest.mark.parametrize(
    "header",
    ["yesterday", "", "0", "Sun, 31 Nov 2026 99:99:99 GMT", "Sun, 06 Nov 1994 08:49:37 -0000"],
)
def test_clock_that_cannot_be_read_does_no_harm(header: str) -> None:
    with HandmadeApi(reply=lambda *_: (200, {"Date": header}, b"[]")) as api:
        instant = client_of(api.url).list_page("/customers", ()).server_time
    assert instant is None or instant.utcoffset() is not None


@pytest.mark.parametrize("header", ["many", "-1", "", "1.5", "²"])
def test_total_that_cannot_be_read_does_no_harm(header: str) -> None:
    value = header.encode().decode("latin-1")
    with HandmadeApi(reply=lambda *_: (200, {"X-Total-Count": value}, b"[]")) as api:
        assert client_of(api.url).list_page("/customers", ()).total is None
