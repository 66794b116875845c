"""Webhooks: managed here, told of every event, and their attempts tried again on demand."""

import secrets
import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from invoiced_emulator.calls.call import Answer, Call, answer
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.properties import Property, accepted, missing
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.handling import (
    NO_CONTENT,
    record_at,
    record_of,
    refuse_query,
    refuse_unknown,
    written,
)

PROPERTIES: Mapping[str, Property] = {
    "url": Property(nullable=False),
    "events": Property("any"),
    "enabled": Property("boolean", nullable=False),
}
_ALPHABET = string.ascii_letters + string.digits


def create(call: Call) -> Answer:
    """POST /webhooks; the answer holds the secret that deliveries are signed with."""
    refuse_unknown(call, PROPERTIES)
    values = _values(call)
    if values.get("url") is None:
        raise missing("url")
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(32))
    webhook = {"events": ["*"], "enabled": True, "secret": secret, **values}
    return written(call, "webhooks", call.work.create("webhooks", webhook), 201)


def update(call: Call) -> Answer:
    """PATCH /webhooks/:id."""
    webhook = record_of(call, "webhooks")
    refuse_unknown(call, PROPERTIES)
    if call.body:
        webhook = call.work.save("webhooks", webhook, webhook | _values(call))
    return written(call, "webhooks", webhook)


def delete(call: Call) -> Answer:
    """DELETE /webhooks/:id."""
    refuse_query(call)
    call.work.delete("webhooks", record_of(call, "webhooks"))
    return NO_CONTENT


def retry(call: Call) -> Answer:
    """POST /webhook_attempts/:id/retries: due at once, sent with the next deliveries."""
    attempt = record_at(call, "webhook_attempts", call.arguments[0])
    due = {"next_attempt": call.service.clock.now(), "succeeded": False}
    saved = call.work.save("webhook_attempts", attempt, attempt | due)
    return answer(201, dict(sorted(saved.items())))


def _values(call: Call) -> Record:
    values = accepted(call.body, PROPERTIES)
    if "url" in values and not _is_url(values["url"]):
        raise refused("Url only allows valid URLs", "url")
    return values


def _is_url(text: Any) -> bool:
    parts = urlsplit(str(text))
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
