"""From one state of a ledger entry to the next: before a request, and by what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.invoiced.http.writer import TAKES_KEY, WriteAnswer
from invoiced_pipeline.nesting import array_elements, shallow
from invoiced_pipeline.writeback.ledger.keys import idempotency_key
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline.writeback.plan.request import Unit
from invoiced_pipeline.writeback.push.sender import LEASE, Sent
from invoiced_pipeline.writeback.recovery.lookup import lookup_for, record_id
from invoiced_pipeline.writeback.recovery.verdict import may_replay

_TRY_LATER = "try again later"
"""How the API says that a refusal is of the moment, e.g. that a record is being edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """What every entry of a push has in common.

    Attributes:
        writeback: Name of the write-back.
        dataset: Where the ledger is.
        run_id: The run.
        api_key: Fingerprint of the API key.
        host: Where requests go.
        longest_run: How long after its beginning a request may still be carried out.
    """

    writeback: str
    dataset: str
    run_id: str
    api_key: str
    host: str
    longest_run: timedelta


def about_to_send(
    known: Sequence[Entry], unit: Unit, operation: Operation, author: Author, now: datetime
) -> list[Entry]:
    """The entries of a unit that is about to be sent.

    Args:
        known: The entries of its rows.
        unit: What is sent.
        operation: What is done.
        author: Who writes.
        now: The present instant, UTC.
    """
    pairs = list(zip(known, unit.rows, strict=True))
    replays = len({entry.idempotency_key for entry in known}) == 1 and all(
        may_replay(entry, row.payload_hash, author.api_key, now) for entry, row in pairs
    )
    generation = max(entry.generation for entry in known) + (0 if replays else 1)
    key = known[0].idempotency_key if replays else None
    if key is None and _takes_key(operation, unit.row):
        rows = [(row.record_key, row.payload_hash) for row in unit.rows]
        key = idempotency_key(author.dataset, author.writeback, rows, generation)
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
            key_sent_at=entry.key_sent_at if replays else now,
            may_run_until=now + LEASE + author.longest_run,
            run_id=author.run_id,
            operation=operation.name,
            action=row.action,
            generation=generation,
            lookup=_lookup(operation, unit, row, entry),
            api_key=author.api_key,
            host=author.host,
        )
        for entry, row in pairs
    ]


def after(entry: Entry, row: PlannedRow, answer: WriteAnswer, sent: Sent, author: Author) -> Entry:
    """The entry once an answer came, or none.

    Args:
        entry: In state `sent`.
        row: The row that was sent.
        answer: Its own answer.
        sent: All that came of the request.
        author: Who writes.
    """
    entry = replace(entry, run_id=author.run_id)
    if answer.result == "succeeded":
        return success(entry, row.payload_hash, answer.status, record_id(answer.body))
    later = _TRY_LATER in (answer.message or "").lower()
    states: dict[str, Any] = {
        "refused": "planned" if later else "rejected",
        "unsent": "planned",
        "ambiguous": "sent",
    }
    entry = replace(
        entry,
        state=states[answer.result],
        status_code=answer.status,
        error=answer.message,
        error_param=answer.param,
    )
    if answer.result != "ambiguous":
        return replace(entry, may_run_until=None)
    began = sent.started_at or entry.last_attempt_at
    over = began if began is None or is_finished(answer) else began + author.longest_run
    return replace(entry, last_attempt_at=began, may_run_until=over)


def success(entry: Entry, payload_hash: str, status: int | None, invoiced_id: str | None) -> Entry:
    """The entry of a row that was carried out; `status` is None where it was looked up."""
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


def reopened(entry: Entry, author: Author) -> Entry:
    """The entry of a row that was taken to have made a record, which another row's request made.

    Its own request may be running still, as far as is known.
    """
    last = entry.last_attempt_at
    return replace(
        entry,
        state="sent",
        invoiced_id=None,
        succeeded_hash=None,
        error="The record that it was taken to have made is another row's",
        may_run_until=None if last is None else last + author.longest_run,
        run_id=author.run_id,
    )


def is_finished(answer: WriteAnswer) -> bool:
    """Whether an ambiguous answer says that the request is over.

    The API's own 500 comes after the request; those of the gateway before it say nothing.
    """
    if answer.status != 500:
        return False
    try:
        return msgspec.json.decode(shallow(answer.body)).get("type") == "api_error"
    except (msgspec.MsgspecError, UnicodeDecodeError, AttributeError):
        return False


def answer_per_row(unit: Unit, answer: WriteAnswer) -> list[WriteAnswer]:
    """The answer to each row: of an array that answers an array, its own element."""
    count = len(unit.rows)
    if answer.result != "succeeded" or not unit.is_array:
        return [answer] * count
    try:
        elements = array_elements(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        elements = []
    if len(elements) != count:
        return [answer] * count
    return [replace(answer, body=element) for element in elements]


def _lookup(operation: Operation, unit: Unit, row: PlannedRow, entry: Entry) -> str | None:
    lookup = lookup_for(operation, row, unit.mark, entry.invoiced_id)
    return lookup.encode() if lookup else None


def _takes_key(operation: Operation, row: PlannedRow) -> bool:
    """A void is a POST, and takes one even where its operation, a deletion, takes none."""
    takes = operation.takes_idempotency_key or row.action == "void"
    return takes and row.method in TAKES_KEY
