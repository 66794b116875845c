"""Whether a 2xx response proves that the request was carried out, and on the right record."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import msgspec

from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.invoiced.http.writer import WriteResult
from invoiced_pipeline.nesting import shallow
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline.writeback.validation.record_numbers import normal_number


def require_proof(
    result: WriteResult, operation: Operation, row: PlannedRow, record_id: str | None
) -> WriteResult:
    """Makes a success ambiguous where the response does not show the record that was meant.

    A gateway can replace a body, and a cache can respond for the API. Custom operations may return
    anything, and deletions nothing.

    Args:
        result: As the writer returned it.
        operation: The operation.
        row: The row that was sent.
        record_id: The ID that `{id}` in the row's path stands for.
    """
    if result.kind != "succeeded" or operation.kind == "custom" or row.action == "delete":
        return result
    record = response_object(result.body)
    identity = identity_of(record)
    why = None
    if identity is None:
        why = "without a record's id"
    elif row.action == "create":
        why = _other_number(operation, row, record)
    else:
        wanted = record_id or unquote(row.path.removesuffix("/void").rpartition("/")[2])
        if identity != wanted:
            why = f"with record {identity}, not with {wanted}"
    if why is None:
        return result
    message = f"{row.method} {row.path} answered {result.status}, but {why}"
    return replace(result, kind="ambiguous", message=message)


def response_object(body: bytes | None) -> Mapping[str, Any]:
    """Decodes the JSON object in a body; returns an empty one where there is something else."""
    try:
        value = msgspec.json.decode(shallow(body or b"null"))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def record_id(body: bytes | None) -> str | None:
    """Returns the ID of the record in a body as text; None where it has none."""
    return identity_of(response_object(body))


def identity_of(record: Mapping[str, Any]) -> str | None:
    """Returns the ID of a record as text; None where it has none, or a value that is no ID."""
    identity = record.get("id")
    if isinstance(identity, bool) or not isinstance(identity, int | str):
        return None
    return str(identity).strip() or None if identity else None


def _other_number(operation: Operation, row: PlannedRow, record: Mapping[str, Any]) -> str | None:
    key = operation.natural_key
    name = key.number if key else None
    sent = normal_number((row.body or {}).get(name)) if name else None
    shown = normal_number(record.get(name)) if name else None
    if sent is None or shown is None or sent == shown:
        return None
    return f"with a record whose {name} is another"
