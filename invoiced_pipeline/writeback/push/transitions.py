"""From one state of a ledger entry to the next: before a request, and after its response."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.invoiced.http.writer import TAKES_KEY, WriteResult
from invoiced_pipeline.nesting import array_elements, shallow
from invoiced_pipeline.writeback.ledger.keys import idempotency_key
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline.writeback.plan.request import OutgoingRequest
from invoiced_pipeline.writeback.push.context import PushContext
from invoiced_pipeline.writeback.push.sender import LEASE, SendResult
from invoiced_pipeline.writeback.recovery.lookup import lookup_for
from invoiced_pipeline.writeback.recovery.outcome import may_reuse_key
from invoiced_pipeline.writeback.recovery.proof import record_id

_TRY_LATER = "try again later"
"""How the API says that a refusal is temporary, e.g. while somebody edits the record."""


def claimed_entries(
    entries: Sequence[Entry],
    request: OutgoingRequest,
    operation: Operation,
    context: PushContext,
    now: datetime,
) -> list[Entry]:
    """Returns the entries of a request's rows as they are written just before it is sent.

    Args:
        entries: The entries as they are, in the order of the request's rows.
        request: The request.
        operation: The operation.
        context: Account, warehouse and run.
        now: The current time, UTC.
    """
    api_key = context.api_key_fingerprint
    pairs = list(zip(entries, request.rows, strict=True))
    reuses_key = len({entry.idempotency_key for entry in entries}) == 1 and all(
        may_reuse_key(entry, row.payload_hash, api_key, now) for entry, row in pairs
    )
    generation = max(entry.generation for entry in entries) + (0 if reuses_key else 1)
    key = entries[0].idempotency_key if reuses_key else None
    if key is None and _takes_key(operation, request.row):
        rows = [(row.record_key, row.payload_hash) for row in request.rows]
        key = idempotency_key(context.dataset, entries[0].writeback, rows, generation)
    return [
        replace(
            entry,
            payload_hash=row.payload_hash,
            idempotency_key=key,
            state="sent",
            attempts=entry.attempts + 1,
            status_code=None,
            error=None,
            error_param=None,
            first_attempt_at=entry.first_attempt_at or now,
            last_attempt_at=now,
            key_sent_at=entry.key_sent_at if reuses_key else now,
            may_run_until=now + LEASE + context.longest_run,
            run_id=context.run_id,
            operation=operation.name,
            action=row.action,
            generation=generation,
            lookup=_lookup(operation, request, row, entry),
            api_key=api_key,
            host=context.host,
        )
        for entry, row in pairs
    ]


def entry_after(
    entry: Entry, row: PlannedRow, result: WriteResult, sent: SendResult, context: PushContext
) -> Entry:
    """Returns the entry after a response, or after none came.

    Args:
        entry: In state `sent`.
        row: The row that was sent.
        result: The response to this row.
        sent: The result of the whole request.
        context: Account, warehouse and run.
    """
    entry = replace(entry, run_id=context.run_id)
    if result.kind == "succeeded":
        return success(entry, row.payload_hash, result.status, record_id(result.body))
    is_temporary = _TRY_LATER in (result.message or "").lower()
    states: dict[str, Any] = {
        "refused": "planned" if is_temporary else "rejected",
        "unsent": "planned",
        "ambiguous": "sent",
    }
    entry = replace(
        entry,
        state=states[result.kind],
        status_code=result.status,
        error=result.message,
        error_param=result.param,
    )
    if result.kind != "ambiguous":
        return replace(entry, may_run_until=None)
    start = sent.started_at or entry.last_attempt_at
    end = start if start is None or is_finished(result) else start + context.longest_run
    return replace(entry, last_attempt_at=start, may_run_until=end)


def success(entry: Entry, payload_hash: str, status: int | None, invoiced_id: str | None) -> Entry:
    """Returns the entry of a row that was carried out; `status` is None after a look-up."""
    return replace(
        entry,
        state="succeeded",
        status_code=status,
        invoiced_id=invoiced_id or entry.invoiced_id,
        error=None,
        error_param=None,
        succeeded_hash=payload_hash,
        may_run_until=None,
    )


def reopened(entry: Entry, context: PushContext) -> Entry:
    """Returns the entry of a row wrongly credited with a record that another row created.

    As far as is known, its own request may still be running.
    """
    last = entry.last_attempt_at
    return replace(
        entry,
        state="sent",
        invoiced_id=None,
        succeeded_hash=None,
        error="Another row created the record that this row was credited with",
        may_run_until=None if last is None else last + context.longest_run,
        run_id=context.run_id,
    )


def is_finished(result: WriteResult) -> bool:
    """Whether an ambiguous response shows that the request is over.

    The API's own 500 comes after the request has ended; those of the gateway before it show
    nothing.
    """
    if result.status != 500:
        return False
    try:
        return msgspec.json.decode(shallow(result.body)).get("type") == "api_error"
    except (msgspec.MsgspecError, UnicodeDecodeError, AttributeError):
        return False


def result_per_row(request: OutgoingRequest, result: WriteResult) -> list[WriteResult]:
    """Returns the response to each row: its own element where the response is an array."""
    count = len(request.rows)
    if result.kind != "succeeded" or not request.is_array:
        return [result] * count
    try:
        elements = array_elements(result.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        elements = []
    if len(elements) != count:
        return [result] * count
    return [replace(result, body=element) for element in elements]


def _lookup(
    operation: Operation, request: OutgoingRequest, row: PlannedRow, entry: Entry
) -> str | None:
    lookup = lookup_for(operation, row, request.marker, entry.invoiced_id)
    return lookup.encode() if lookup else None


def _takes_key(operation: Operation, row: PlannedRow) -> bool:
    """Whether the request takes a key. A void does, being a POST, also where deletions do not."""
    takes_key = operation.takes_idempotency_key or row.action == "void"
    return takes_key and row.method in TAKES_KEY
