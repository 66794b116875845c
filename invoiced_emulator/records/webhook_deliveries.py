"""Delivers events to webhooks: signed, and retried every hour."""

import hashlib
import hmac
import http.client
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from invoiced_emulator.protocol.clock import Clock
from invoiced_emulator.protocol.exact_json import encode
from invoiced_emulator.records.store import Store

_MOST_ATTEMPTS = 48
_INTERVAL = 3600
_SECONDS = 30
_GONE = 410
_SHOWN = ("id", "type", "timestamp", "data")

Record = dict[str, Any]


def enqueue(store: Store, event: Mapping[str, Any]) -> None:
    """Queues an event for every enabled webhook that subscribes to it."""
    for webhook in store.all("webhooks"):
        wanted = webhook.get("events") or ()
        if not webhook.get("enabled") or not ({"*", event["type"]} & {*wanted}):
            continue
        attempt = {
            "id": store.next_key("webhook_attempts"),
            "object": "webhook_attempt",
            "webhook_id": webhook["id"],
            "event_id": event["id"],
            "url": webhook["url"],
            "payload": encode({name: event[name] for name in _SHOWN}).decode(),
            "attempts": [],
            "next_attempt": event["timestamp"],
            "succeeded": False,
            "created_at": event["timestamp"],
            "updated_at": event["timestamp"],
        }
        store.put("webhook_attempts", attempt)


def deliver(store: Store, clock: Clock) -> int:
    """Sends every delivery that is due by `clock`, one by one, and returns how many."""
    now = clock.now()
    due = [
        attempt
        for attempt in store.all("webhook_attempts")
        if attempt.get("next_attempt") is not None and attempt["next_attempt"] <= now
    ]
    sent = 0
    for attempt in due:
        webhook = store.get("webhooks", attempt["webhook_id"])
        if webhook is None or not webhook.get("enabled"):
            store.put("webhook_attempts", attempt | {"next_attempt": None})
            continue
        _deliver(store, webhook, attempt, now)
        sent += 1
    return sent


def signature(payload: bytes, secret: str) -> str:
    """Returns the `X-Invoiced-Signature`: hexadecimal HMAC-SHA256 with the webhook's secret."""
    return hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()


def _deliver(store: Store, webhook: Record, attempt: Record, now: int) -> None:
    payload = attempt["payload"].encode()
    status = _post(webhook["url"], payload, signature(payload, webhook["secret"]))
    attempts = [*attempt["attempts"], {"timestamp": now, "status_code": status}]
    succeeded = status is not None and 200 <= status < 300
    hopeless = not succeeded and (status == _GONE or len(attempts) >= _MOST_ATTEMPTS)
    after = {
        "attempts": attempts,
        "succeeded": succeeded,
        "next_attempt": None if succeeded or hopeless else now + _INTERVAL,
        "updated_at": now,
    }
    with store.transaction():
        store.put("webhook_attempts", attempt | after)
        if hopeless:
            store.put("webhooks", webhook | {"enabled": False, "updated_at": now})


def _post(url: str, payload: bytes, signed: str) -> int | None:
    """Sends a delivery and returns the status; None without a response. Follows no redirects."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_SECONDS)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Invoiced/1.0",
        "X-Invoiced-Signature": signed,
    }
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        connection.request("POST", path, body=payload, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
