"""Webhooks: written over HTTP, and their signed deliveries to a receiver."""

import hashlib
import hmac
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Receiver(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses, self.received = [], []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook?a=b"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Location", self.path)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_create_update_and_delete_webhooks(api):
    assert api.error("POST", "/webhooks", {}) == (400, "Url is missing", "url")
    assert api.error("POST", "/webhooks", {"url": "nowhere"}) == (
        400,
        "Url only allows valid URLs",
        "url",
    )
    made = api.ok("POST", "/webhooks", {"url": "https://example.org/hook"})
    assert (made["events"], made["enabled"], len(made["secret"])) == (["*"], True, 32)
    path = f"/webhooks/{made['id']}"
    assert api.ok("PATCH", path, {"enabled": False})["enabled"] is False
    assert api.error("GET", path)[0] == 405
    assert len(api.ok("GET", "/webhooks")) == 1
    assert api("DELETE", path).status_code == 204


def test_delivery_is_signed(api, receiver):
    secret = api.ok("POST", "/webhooks", {"url": receiver.url})["secret"]
    customer = api.ok("POST", "/customers", {"name": "A"})
    assert receiver.received == []
    assert [api.emulator.deliver_webhooks() for _ in range(2)] == [1, 0]
    ((path, headers, body),) = receiver.received
    assert path == "/hook?a=b"
    assert headers["User-Agent"] == "Invoiced/1.0"
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Invoiced-Signature"] == expected
    event = json.loads(body)
    assert sorted(event) == ["data", "id", "timestamp", "type"]
    assert (event["type"], event["data"]["object"]["id"]) == ("customer.created", customer["id"])


def test_enabled_webhooks_get_the_events_they_subscribe_to(api, receiver):
    api.ok("POST", "/webhooks", {"url": receiver.url, "events": ["customer.updated"]})
    api.ok("POST", "/webhooks", {"url": receiver.url, "enabled": False})
    customer = api.ok("POST", "/customers", {"name": "A"})
    api.ok("PATCH", f"/customers/{customer['id']}", {"name": "B"})
    api.emulator.deliver_webhooks()
    assert [json.loads(body)["type"] for _, _, body in receiver.received] == ["customer.updated"]


def test_failed_delivery_is_retried_hourly_and_on_demand(api, receiver):
    api.ok("POST", "/webhooks", {"url": receiver.url})
    api.ok("POST", "/customers", {"name": "A"})
    receiver.statuses = [500, 302, 200]
    deliver = api.emulator.deliver_webhooks
    assert (deliver(), deliver()) == (1, 0)
    api.emulator.clock.advance(3600)
    assert deliver() == 1
    (attempt,) = api.ok("GET", "/webhook_attempts")
    assert attempt["succeeded"] is False
    assert api("POST", f"/webhook_attempts/{attempt['id']}/retries").status_code == 201
    assert deliver() == 1
    (attempt,) = api.ok("GET", "/webhook_attempts")
    assert attempt["succeeded"] is True
    assert [each["status_code"] for each in attempt["attempts"]] == [500, 302, 200]


@pytest.mark.parametrize(("status", "times"), [(410, 1), (500, 48)])
def test_webhook_is_disabled_after_too_many_failures(api, receiver, status, times):
    api.ok("POST", "/webhooks", {"url": receiver.url})
    api.ok("POST", "/customers", {"name": "A"})
    receiver.statuses = [status] * 50
    for _ in range(50):
        api.emulator.deliver_webhooks()
        api.emulator.clock.advance(3600)
    assert len(receiver.received) == times
    assert api.ok("GET", "/webhooks")[0]["enabled"] is False


def test_delivery_without_a_receiver_fails(api):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        api.ok("POST", "/webhooks", {"url": f"http://127.0.0.1:{deaf.getsockname()[1]}"})
        api.ok("POST", "/customers", {"name": "A"})
        assert api.emulator.deliver_webhooks() == 1
    (attempt,) = api.ok("GET", "/webhook_attempts")
    assert attempt["attempts"][0]["status_code"] is None
