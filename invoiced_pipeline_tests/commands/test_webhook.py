"""The receiver of webhooks: who may ask for a sync, and that each request leads to one."""

import hashlib
import hmac
import http.client
import re
import socket
import threading
from collections.abc import Iterator, Set
from contextlib import closing
from pathlib import Path

import pytest
import urllib3
from pydantic import SecretStr

from invoiced_pipeline.commands.webhook_receiver import Hook, WebhookReceiver
from invoiced_pipeline.commands.webhook_syncs import RequestedSyncs
from invoiced_pipeline_tests.front_door import DEADLINE, front_door, invoiced_account, wait_until

SECRET = "SecretOfTheWebhook0123456789abcd"
BODY = b'{"id":1,"type":"invoice.paid","timestamp":1700000000,"data":{"object":{}}}'


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture
def taken() -> list[str]:
    """The types of the events that were accepted."""
    return []


@pytest.fixture
def receiver(taken: list[str]) -> Iterator[WebhookReceiver]:
    hooks = {"invoiced": Hook(SecretStr(SECRET), taken.append)}
    with WebhookReceiver(("127.0.0.1", 0), hooks) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def post(
    server: WebhookReceiver, body: bytes = BODY, path: str = "/invoiced", **headers: str
) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=DEADLINE)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(connection):
        connection.request("POST", path, body, named)
        return connection.getresponse().status


def test_a_signed_event_is_taken(receiver: WebhookReceiver, taken: list[str]) -> None:
    assert post(receiver, X_Invoiced_Signature=signature(BODY)) == 204
    assert taken == ["invoice.paid"]


@pytest.mark.parametrize(
    ("body", "path", "signed", "status"),
    [
        (BODY, "/invoiced", "", 401),
        (BODY, "/invoiced", signature(BODY, "another secret"), 401),
        (BODY, "/invoiced", signature(BODY + b" "), 401),
        (BODY, "/invoiced", signature(BODY).upper(), 401),
        (BODY, "/invoiced", "\u00e9" * 64, 401),
        (BODY, "/", signature(BODY), 404),
        (BODY, "/invoiced/../other", signature(BODY), 404),
        (b"no JSON", "/invoiced", signature(b"no JSON"), 400),
        (b'{"id":1}', "/invoiced", signature(b'{"id":1}'), 400),
        (b"[" * 10_000, "/invoiced", signature(b"[" * 10_000), 400),
    ],
)
def test_what_is_not_signed_or_no_event_is_refused(
    receiver: WebhookReceiver, body: bytes, path: str, signed: str, status: int
) -> None:
    assert post(receiver, body, path, X_Invoiced_Signature=signed) == status


def answer_to(server: WebhookReceiver, request: bytes) -> bytes:
    """The beginning of the answer to a request whose body never comes."""
    with socket.create_connection(("127.0.0.1", server.server_port), DEADLINE) as client:
        client.sendall(request)
        return client.recv(100)


@pytest.mark.parametrize(
    ("header", "status"),
    [("", 411), ("Content-Length: -1", 411), ("Content-Length: 5000001", 413)],
)
def test_a_body_is_not_read_without_its_length(
    receiver: WebhookReceiver, header: str, status: int
) -> None:
    lines = ["POST /invoiced HTTP/1.1", "Host: a", *([header] if header else []), "", ""]
    assert f" {status} ".encode() in answer_to(receiver, "\r\n".join(lines).encode())


def test_other_methods_and_versions_tell_nothing(receiver: WebhookReceiver) -> None:
    answer = answer_to(receiver, b"GET /invoiced HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b" 501 " in answer
    assert b"Python" not in answer


def test_too_many_connections_are_closed(receiver: WebhookReceiver, taken: list[str]) -> None:
    address = ("127.0.0.1", receiver.server_port)
    idle = [socket.create_connection(address, DEADLINE) for _ in range(20)]
    try:
        with socket.create_connection(address, DEADLINE) as one_more:
            assert one_more.recv(1) == b""
    finally:
        for each in idle:
            each.close()

    def is_taken() -> bool:
        try:
            return post(receiver, X_Invoiced_Signature=signature(BODY)) == 204
        except OSError:
            return False

    wait_until(is_taken, "a free place")


def test_requests_during_a_sync_become_one_more() -> None:
    begun, may_end = threading.Semaphore(0), threading.Semaphore(0)
    synced: list[Set[str]] = []

    def start(_: str, tables: Set[str]) -> int:
        synced.append(tables)
        begun.release()
        may_end.acquire(timeout=DEADLINE)
        return len(synced) % 2  # a failed sync does not stop the next

    with closing(RequestedSyncs("Invoiced", start)) as syncs:
        syncs.request({"customers"})
        assert begun.acquire(timeout=DEADLINE)
        for tables in ({"invoices"}, {"invoices"}, {"payments", "customers"}):
            syncs.request(tables)
        may_end.release()
        assert begun.acquire(timeout=DEADLINE)
        may_end.release()
    assert synced == [{"customers"}, {"invoices", "payments", "customers"}]


def test_without_a_secret_it_does_not_start(tmp_path: Path) -> None:
    with invoiced_account() as account, front_door(tmp_path, account) as door:
        refused = door.run("invoiced-pipeline", "webhook", "--port", "0", status=1).said
    assert "set INVOICED_WEBHOOK_SECRET in the environment" in refused


@pytest.mark.slow
def test_a_delivery_brings_the_row(tmp_path: Path) -> None:
    with invoiced_account() as account, front_door(tmp_path, account) as door:
        headers = urllib3.make_headers(basic_auth=f"{account.api_key}:")

        def send(path: str, body: dict[str, str]) -> dict[str, str]:
            url = f"{account.url}{path}"
            return urllib3.request("POST", url, json=body, headers=headers).json()

        door.environment["INVOICED_WEBHOOK_SECRET"] = SECRET
        with (tmp_path / "webhook.log").open("w+") as log:
            receiver = door.start("invoiced-pipeline", "webhook", "--port", "0", log=log)
            read = (tmp_path / "webhook.log").read_text
            (url,) = wait_until(lambda: re.findall("http://[^ \n]+", read()), "the address")
            hook = send("/webhooks", {"url": url})
            account.store.put("webhooks", {**hook, "secret": SECRET})
            send("/customers", {"name": "Acme"})
            assert account.deliver_webhooks() == 1
            wait_until(lambda: "Synced customers (Invoiced)" in read(), "the sync")
            receiver.send_signal(15)
            assert receiver.wait(DEADLINE) == 143
        assert SECRET not in read()
        assert door.query("select name from customers") == [("Acme",)]
        loaded = "select distinct table_name from _sync_log"
        assert door.query(loaded) == [("customers",)]
