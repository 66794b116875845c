"""Creates, updates and deletes webhooks, and retries deliveries on demand."""

import secrets
import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from invoiced_emulator.calls.call import Call, Response, json_response
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.properties import Property, accepted_values, missing
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.options import refuse_query, refuse_unknown
from invoiced_emulator.writes.records import record_in_path, unlocked_record
from invoiced_emulator.writes.responses import NO_CONTENT, record_response

PROPERTIES: Mapping[str, Property] = {
    "url": Property(nullable=False),
    "events": Property("any"),
    "enabled": Property("boolean", nullable=False),
}
_ALPHABET = string.ascii_letters + string.digits


def create(call: Call) -> Response:
    """Handles POST /webhooks; the response holds the secret that signs deliveries."""
    refuse_unknown(call, PROPERTIES)
    values = _values(call)
    if values.get("url") is None:
        raise missing("url")
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(32))
    webhook = {"events": ["*"], "enabled": True, "secret": secret, **values}
    return record_response(call, "webhooks", call.work.create("webhooks", webhook), 201)


def update(call: Call) -> Response:
    """Handles PATCH /webhooks/:id."""
    webhook = record_in_path(call, "webhooks")
    refuse_unknown(call, PROPERTIES)
    if call.body:
        webhook = call.work.save("webhooks", webhook, webhook | _values(call))
    return record_response(call, "webhooks", webhook)


def delete(call: Call) -> Response:
    """Handles DELETE /webhooks/:id."""
    refuse_query(call)
    call.work.delete("webhooks", record_in_path(call, "webhooks"))
    return NO_CONTENT


def retry(call: Call) -> Response:
    """Handles POST /webhook_attempts/:id/retries; the delivery is due now."""
    attempt = unlocked_record(call, "webhook_attempts", call.arguments[0])
    due = {"next_attempt": call.shared.clock.now(), "succeeded": False}
    saved = call.work.save("webhook_attempts", attempt, attempt | due)
    return json_response(201, dict(sorted(saved.items())))


def _values(call: Call) -> Record:
    values = accepted_values(call.body, PROPERTIES)
    if "url" in values and not _is_url(values["url"]):
        raise refused("Url only allows valid URLs", "url")
    return values


def _is_url(text: Any) -> bool:
    parts = urlsplit(str(text))
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
