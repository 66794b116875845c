"""Writes: tried again only while nothing was done, and a plain word for what came of them."""

import json
import socket
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from invoiced_emulator.http.fault_injection import Fault
from invoiced_emulator.server import Emulator
from invoiced_pipeline.exceptions import AccountInactiveError, AuthenticationError
from invoiced_pipeline.invoiced.http.client import InvoicedClient, RetryPolicy
from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.http.writer import InvoicedWriter, WriteRequest
from invoiced_pipeline_tests.conftest import SHORT_RETRIES

KEY = "w-0123456789"


def creation(name: str = "Acme", **options: Any) -> WriteRequest:
    body = encode_body({"name": name})
    return WriteRequest(**{"method": "POST", "path": "/customers", "body": body, **options})


@pytest.fixture
def writer(client: InvoicedClient) -> InvoicedWriter:
    return InvoicedWriter(client)


def test_success_carries_the_record(emulator: Emulator, writer: InvoicedWriter) -> None:
    result = writer.send(creation(idempotency_key=KEY))
    assert (result.kind, result.status) == ("succeeded", 201)
    assert json.loads(result.body)["id"] == emulator.store.all("customers")[0]["id"]


def test_refusal_carries_message_and_parameter(writer: InvoicedWriter) -> None:
    result = writer.send(creation(name=""))
    assert (result.kind, result.status, result.param) == ("refused", 400, "name")
    assert result.message == "Name must be a string between 1 and 255 characters."


@pytest.mark.parametrize(
    ("fault", "status", "records"),
    [
        ("drop_connection", None, 0),
        ("lose_response", None, 1),
        ("truncate_body", None, 1),
        ("rate5xx", 500, 0),
        ("fail_after_commit", 500, 1),
    ],
)
def test_ambiguous_outcomes_are_not_retried(
    emulator: Emulator, writer: InvoicedWriter, fault: Fault, status: int | None, records: int
) -> None:
    emulator.faults.next(fault, method="POST")
    result = writer.send(creation(idempotency_key=KEY))
    assert (result.kind, result.status) == ("ambiguous", status)
    assert len(emulator.requests) == 1
    assert emulator.store.count("customers") == records


def test_time_out_is_ambiguous_while_the_server_goes_on(emulator: Emulator) -> None:
    retry_policy = RetryPolicy(attempts=3, read_seconds=0.05)
    client = InvoicedClient(emulator.url, SecretStr(emulator.api_key), retry_policy=retry_policy)
    emulator.faults.next("stall_before_commit", method="POST")
    assert InvoicedWriter(client).send(creation()).kind == "ambiguous"
    emulator.faults.stalls.release()
    assert emulator.store.count("customers") == 1
    client.close()


def test_too_many_requests_are_retried(emulator: Emulator, writer: InvoicedWriter) -> None:
    emulator.faults.next("rate429", count=2, method="POST")
    tally, starts = Tally(), []
    result = writer.send(creation(), tally=tally, on_start=lambda: starts.append(1))
    assert result.kind == "succeeded"
    assert (tally.requests, tally.retries, len(starts)) == (3, 2, 3)
    assert emulator.store.count("customers") == 1


def test_too_many_requests_for_good_are_unsent(emulator: Emulator, writer: InvoicedWriter) -> None:
    emulator.faults.rate429 = 1.0
    result = writer.send(creation())
    assert (result.kind, result.status) == ("unsent", 429)
    assert len(emulator.requests) == SHORT_RETRIES.attempts


def test_refused_connection_is_unsent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = InvoicedClient(
        f"http://127.0.0.1:{port}", SecretStr("k" * 32), retry_policy=SHORT_RETRIES
    )
    result = InvoicedWriter(client).send(creation())
    assert result.kind == "unsent"
    assert "was not sent" in (result.message or "")


@pytest.mark.parametrize(
    ("state", "error"), [("left", AuthenticationError), ("canceled", AccountInactiveError)]
)
def test_key_that_reads_nothing_ends_it(
    emulator: Emulator, writer: InvoicedWriter, state: str, error: type[Exception]
) -> None:
    emulator.keys[emulator.api_key] = state  # type: ignore[assignment]
    with pytest.raises(error) as caught:
        writer.send(creation())
    assert emulator.api_key not in str(caught.value)


def test_on_start_can_refuse_a_request(emulator: Emulator, writer: InvoicedWriter) -> None:
    def too_late() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        writer.send(creation(), on_start=too_late)
    assert emulator.requests == []
    assert writer.send(creation()).kind == "succeeded"


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "DELETE", "idempotency_key": KEY},
        {"method": "PUT", "idempotency_key": KEY},
        {"idempotency_key": "short"},
        {"idempotency_key": "a" * 65},
        {"idempotency_key": "with:colon"},
        {"headers": {"Authorization": "Basic x"}},
        {"headers": {"idempotency-key": "x"}},
    ],
)
def test_what_the_api_would_refuse_is_never_sent(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"key|headers"):
        creation(**wrong)


def test_extra_headers_are_sent(emulator: Emulator, writer: InvoicedWriter) -> None:
    result = writer.send(creation(headers={"X-Correlation-Id": "mine"}))
    assert result.kind == "succeeded"
    assert emulator.api_key not in repr(creation(headers={"X-Secret": emulator.api_key}))


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)


@given(NUMBERS)
def test_amounts_are_exact(number: Decimal) -> None:
    raw = msgspec.json.decode(encode_body({"a": number}), type=dict[str, msgspec.Raw])["a"]
    assert Decimal(bytes(raw).decode()) == number
    assert b"E" not in bytes(raw)


def test_bodies_are_canonical() -> None:
    some = {"b": [Decimal("100.00"), Decimal("1E+2")], "a": {"y": 0.1, "x": True}}
    same = {"a": {"x": True, "y": Decimal("0.10")}, "b": (100, Decimal(100))}
    assert encode_body(some) == encode_body(same) == b'{"a":{"x":true,"y":0.1},"b":[100,100]}'


@pytest.mark.parametrize("value", [Decimal("NaN"), float("inf"), b"bytes", object()])
def test_types_without_json_form_are_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        encode_body({"a": [value]})
