"""Responses compared with what was requested: verified or drifted, and as a row to store."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from invoiced_pipeline.catalog import table
from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.exact_json import decode_exact
from invoiced_pipeline.nesting import shallow
from invoiced_pipeline.selection.privacy import Privacy
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.ledger.responses import StoredResponse
from invoiced_pipeline.writeback.source.parts import Path
from invoiced_pipeline.writeback.validation.diff import Change, changes


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResponse:
    """The API's response to a row, or the record that a look-up found for it.

    Attributes:
        entry: The row's entry after it.
        action: The requested action.
        requested: The requested fields; empty where the source no longer has the row.
        parts: Paths of requested parts of fields.
        body: The response's bytes; after a look-up the record's.
        record: The record as lists show it; None where there is none, or only a part of one.
        status: HTTP status; None after a look-up.
        verified: Whether the record is as requested; None if that is not known.
        drift: The fields that are not: `before` is the requested value, `after` the one found.
    """

    entry: Entry
    action: str
    requested: Mapping[str, Any] = field(default_factory=dict, repr=False)
    parts: tuple[Path, ...] = ()
    body: bytes = field(default=b"", repr=False)
    record: bytes | None = field(default=None, repr=False)
    status: int | None = None
    verified: bool | None = None
    drift: tuple[Change, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether the row was carried out."""
        return self.entry.state == "succeeded"


def verify(response: RowResponse, operation: Operation) -> RowResponse:
    """Compares the record with what was requested."""
    if not response.succeeded:
        return response
    if response.action == "delete":
        return replace(response, verified=True)
    record = _object(response.record or response.body)
    wanted = {"status": "voided"} if response.action == "void" else response.requested
    # Records do not show every field, e.g. whether an invoice was sent by e-mail.
    other_names = dict(operation.natural_key.compare) if operation.natural_key else {}
    named = {other_names.get(name, name): value for name, value in wanted.items()}
    shown = {name: value for name, value in named.items() if name in record}
    if not shown:
        return response
    drift = tuple(
        _without_personal_values(change, operation)
        for change in changes(operation, shown, record, response.parts)
    )
    return replace(response, verified=not drift, drift=drift)


def stored_response(
    response: RowResponse, operation: Operation, privacy: Privacy, received_at: datetime
) -> StoredResponse:
    """Makes the row of `_writeback_responses`, without what must not be stored of the record."""
    entry, body = response.entry, response.body
    drift = [
        {"field": each.field, "asked": each.before, "found": each.after} for each in response.drift
    ]
    return StoredResponse(
        writeback=entry.writeback,
        record_key=entry.record_key,
        status_code=response.status,
        invoiced_id=entry.invoiced_id,
        response=privacy.redact(operation.table or operation.singular, body) if body else None,
        verified=response.verified,
        drift=json.dumps(drift, default=str) if drift else None,
        received_at=received_at,
    )


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        value = decode_exact(shallow(body))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def _without_personal_values(change: Change, operation: Operation) -> Change:
    """A drifted field, requested value first; without values where they may be personal."""
    columns = {} if operation.table is None else {c.name: c for c in table(operation.table).columns}
    column = columns.get(change.field)
    if column is None or column.sensitive:
        return Change(change.field, None, None)
    return Change(change.field, change.after, change.before)
