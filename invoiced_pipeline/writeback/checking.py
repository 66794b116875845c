"""Answers of the API beside what was asked: verified, or drifted, and kept as a row."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from invoiced_pipeline.catalog import table
from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.writeback.ledger import Entry
from invoiced_pipeline.writeback.responses import Response
from invoiced_pipeline.writeback.verification import Drift, comparable, drifts


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer of the API to a row, or the record that a look-up found for it.

    Attributes:
        entry: The row's entry as it is now.
        action: What was asked for.
        asked: The fields that were asked for; empty where the source no longer has the row.
        answer: The answer's bytes; of a look-up the record's.
        record: The record as lists show it; None where there is none, or none that is whole.
        status: HTTP status; None where it was looked up.
    """

    entry: Entry
    action: str
    asked: Mapping[str, Any] = field(default_factory=dict, repr=False)
    answer: bytes = field(default=b"", repr=False)
    record: bytes | None = field(default=None, repr=False)
    status: int | None = None

    @property
    def succeeded(self) -> bool:
        """Whether what was asked for was done."""
        return self.entry.state == "succeeded"


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer with what the comparison gave.

    Attributes:
        answered: The answer.
        verified: Whether the record is as it was asked for; None where that cannot be told.
        drift: The fields that are not.
    """

    answered: Answered
    verified: bool | None
    drift: tuple[Drift, ...] = ()


def check(answered: Answered, operation: Operation) -> Checked:
    """Compares a record with what was asked for."""
    if not answered.succeeded:
        return Checked(answered, None)
    if answered.action == "delete":
        return Checked(answered, verified=True)
    record = _object(answered.record or answered.answer)
    asked = {"status": "voided"} if answered.action == "void" else answered.asked
    if not comparable(asked, record):
        return Checked(answered, None)
    found = tuple(_shown(drift, operation) for drift in drifts(asked, record))
    return Checked(answered, not found, found)


def response_of(checked: Checked, received_at: datetime) -> Response:
    """The row of `_writeback_responses`."""
    entry = checked.answered.entry
    drift = [
        {"field": each.field, "asked": each.asked, "found": each.found} for each in checked.drift
    ]
    return Response(
        writeback=entry.writeback,
        record_key=entry.record_key,
        status_code=checked.answered.status,
        invoiced_id=entry.invoiced_id,
        response=checked.answered.answer.decode(errors="replace") or None,
        verified=checked.verified,
        drift=json.dumps(drift, default=str) if drift else None,
        received_at=received_at,
    )


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _shown(drift: Drift, operation: Operation) -> Drift:
    """A drift without its values where they may be personal: the field's name says enough."""
    name = drift.field.partition(".")[0]
    known = {} if operation.table is None else {c.name: c for c in table(operation.table).columns}
    if name in known and not known[name].sensitive:
        return drift
    return Drift(drift.field, None, None)
