"""What the ledger holds about a write-back's rows, for whoever plans the next push."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.ledger.ledger import Ledger, State
from invoiced_pipeline.writeback.ledger.responses import RESPONSES


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorOutcome:
    """What the ledger holds about a record key before a push: its newest entry.

    Attributes:
        state: What became of it.
        payload_hash: Of the payload that was sent, or refused.
        invoiced_id: The record's id as text, once it was created.
        succeeded_hash: Of the payload that last succeeded; None when none has.
        record: The record as the API last answered with it (`_writeback_responses`), for references
            to other fields than `id`; empty where it is not known.
    """

    state: State
    payload_hash: str
    invoiced_id: str | None = None
    succeeded_hash: str | None = None
    record: Mapping[str, Any] = field(default_factory=dict)


def prior_outcomes(
    database: Database, dataset: str, writeback: str, *, with_records: bool = False
) -> dict[str, PriorOutcome]:
    """The ledger's rows of a write-back by record key.

    Args:
        database: The warehouse.
        dataset: The schema of the ledger.
        writeback: Name of the write-back.
        with_records: Whether the records are wanted as the API last answered with them.

    Raises:
        WarehouseError: The warehouse cannot be read.
    """
    records = _records(database, dataset, writeback) if with_records else {}
    return {
        key: PriorOutcome(
            state=entry.state,
            payload_hash=entry.payload_hash,
            invoiced_id=entry.invoiced_id,
            succeeded_hash=entry.succeeded_hash,
            record=records.get(key, {}),
        )
        for key, entry in Ledger(database, dataset).entries(writeback).items()
    }


def _records(database: Database, dataset: str, writeback: str) -> dict[str, dict[str, Any]]:
    if not database.exists():
        return {}
    with database.session(dataset, read_only=True) as session:
        if RESPONSES not in session.tables():
            return {}
        sql = (
            f"select record_key, response from {RESPONSES} where writeback = %s "  # noqa: S608
            "and invoiced_id is not null"
        )
        rows = session.rows(sql, [writeback])
    found = {key: _object(text) for key, text in rows}
    return {key: record for key, record in found.items() if record.get("id") is not None}


def _object(text: str | None) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text or "null")
    except msgspec.MsgspecError:
        return {}
    return found if isinstance(found, dict) else {}
