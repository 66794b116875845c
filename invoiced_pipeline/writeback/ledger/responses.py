"""`_writeback_responses`: the API's last response to every row, to join IDs of created records."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from typing import Any

import msgspec

from invoiced_pipeline.warehouse.database import Database, Session
from invoiced_pipeline.warehouse.table_layout import TableLayout

RESPONSES = "_writeback_responses"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """One response.

    Attributes:
        writeback: Name of the write-back.
        record_key: The row's key; the table keeps the last response per key.
        status_code: HTTP status; NULL where the record was found by a look-up.
        invoiced_id: The record's ID.
        response: The body as it came, JSON; for a refusal the API's error.
        verified: Whether the record is as requested; NULL if that is not known.
        drift: Where it is not: a JSON array of fields with the requested and the found value.
        received_at: When the response came (UTC).
    """

    writeback: str
    record_key: str
    status_code: int | None
    invoiced_id: str | None
    response: str | None
    verified: bool | None
    drift: str | None
    received_at: datetime


_TYPES = {
    "status_code": "bigint",
    "verified": "boolean",
    "received_at": "timestamp with time zone",
}
_LAYOUT = TableLayout(
    name=RESPONSES,
    types={field.name: _TYPES.get(field.name, "text") for field in fields(StoredResponse)},
    key=("writeback", "record_key"),
)


def write_responses(session: Session, responses: Sequence[StoredResponse]) -> None:
    """Stores responses; each replaces the earlier one of its record key.

    Raises:
        WarehouseError: As `Session.run`.
    """
    _LAYOUT.create(session)
    last = {response.record_key: response for response in responses}
    _LAYOUT.upsert(session, [astuple(response) for response in last.values()])


def read_response(database: Database, dataset: str, writeback: str, record_key: str) -> str | None:
    """Reads the API's last response to a row, JSON; None where there is none.

    Raises:
        WarehouseError: The warehouse cannot be read.
    """
    condition = "writeback = %s and record_key = %s"
    rows = _rows(database, dataset, "response", condition, [writeback, record_key])
    return rows[0][0] if rows else None


def read_records(database: Database, dataset: str, writeback: str) -> dict[str, dict[str, Any]]:
    """Reads the records that a write-back made or changed, as the API last returned them.

    Returns:
        Records by record key; only those with an ID.

    Raises:
        WarehouseError: The warehouse cannot be read.
    """
    condition = "writeback = %s and invoiced_id is not null"
    rows = _rows(database, dataset, "record_key, response", condition, [writeback])
    records = {key: _object(text) for key, text in rows}
    return {key: record for key, record in records.items() if record.get("id") is not None}


def _rows(
    database: Database, dataset: str, columns: str, condition: str, values: Sequence[str]
) -> list[tuple[Any, ...]]:
    if not database.exists():
        return []
    with database.session(dataset, read_only=True) as session:
        if RESPONSES not in session.tables():
            return []
        sql = f"select {columns} from {RESPONSES} where {condition}"  # noqa: S608 - our own names
        return session.rows(sql, values)


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text or "null")
    except msgspec.MsgspecError:
        return {}
    return value if isinstance(value, dict) else {}
