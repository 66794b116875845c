"""Answers of the API beside what was asked: verified, or drifted, and kept as a row."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from invoiced_pipeline.catalog import table
from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.exact_json import decode_exact
from invoiced_pipeline.nesting import shallow
from invoiced_pipeline.selection.privacy import Privacy
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.ledger.responses import Response
from invoiced_pipeline.writeback.source.parts import Path
from invoiced_pipeline.writeback.validation.diff import Change, changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer of the API to a row, or the record that a look-up found for it.

    Attributes:
        entry: The row's entry as it is now.
        action: What was asked for.
        asked: The fields that were asked for; empty where the source no longer has the row.
        parts: Paths of single parts that were asked for.
        answer: The answer's bytes; of a look-up the record's.
        record: The record as lists show it; None where there is none, or none that is whole.
        status: HTTP status; None where it was looked up.
    """

    entry: Entry
    action: str
    asked: Mapping[str, Any] = field(default_factory=dict, repr=False)
    parts: tuple[Path, ...] = ()
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
        drift: The fields that are not, each as it was asked for, then as it is.
    """

    answered: Answered
    verified: bool | None
    drift: tuple[Change, ...] = ()


def check(answered: Answered, operation: Operation) -> Checked:
    """Compares a record with what was asked for."""
    if not answered.succeeded:
        return Checked(answered, None)
    if answered.action == "delete":
        return Checked(answered, verified=True)
    record = _object(answered.record or answered.answer)
    wanted = {"status": "voided"} if answered.action == "void" else answered.asked
    # Not all that can be asked for is shown, e.g. whether an invoice was sent by e-mail.
    other_names = dict(operation.natural_key.compare) if operation.natural_key else {}
    named = {other_names.get(name, name): value for name, value in wanted.items()}
    shown = {name: value for name, value in named.items() if name in record}
    if not shown:
        return Checked(answered, None)
    found = tuple(
        _shown(change, operation) for change in changes(operation, shown, record, answered.parts)
    )
    return Checked(answered, not found, found)


def response_of(
    checked: Checked, operation: Operation, privacy: Privacy, received_at: datetime
) -> Response:
    """The row of `_writeback_responses`, without what must not be kept of the record."""
    entry = checked.answered.entry
    drift = [
        {"field": each.field, "asked": each.before, "found": each.after} for each in checked.drift
    ]
    answer = checked.answered.answer
    kept = privacy.redact(operation.table or operation.singular, answer) if answer else None
    return Response(
        writeback=entry.writeback,
        record_key=entry.record_key,
        status_code=checked.answered.status,
        invoiced_id=entry.invoiced_id,
        response=kept,
        verified=checked.verified,
        drift=json.dumps(drift, default=str) if drift else None,
        received_at=received_at,
    )


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = decode_exact(shallow(body))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _shown(change: Change, operation: Operation) -> Change:
    """A drift, without its values where they may be personal: the field's name says enough."""
    columns = {} if operation.table is None else {c.name: c for c in table(operation.table).columns}
    column = columns.get(change.field)
    if column is None or column.sensitive:
        return Change(change.field, None, None)
    return Change(change.field, change.after, change.before)
