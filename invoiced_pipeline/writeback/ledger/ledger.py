"""`_writeback_ledger`: the state of every row, written before each request and after it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from operator import attrgetter
from typing import Literal

from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.table_layout import TableLayout
from invoiced_pipeline.writeback.ledger.responses import StoredResponse, write_responses

LEDGER = "_writeback_ledger"

State = Literal["planned", "sent", "succeeded", "rejected", "unknown", "held", "invalid"]
"""The states of a row in `_writeback_ledger`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the ledger holds about one row of a write-back; instants are UTC.

    Attributes:
        writeback: Name of the write-back.
        record_key: The row's key.
        payload_hash: Hash of the row's payload when it was last looked at.
        idempotency_key: Key of the last request; None where the method takes none.
        state: `planned`: to be sent. `sent`: the request is running, or its outcome is not known
            yet. `unknown`: the outcome cannot be established. `held`: the row waits for another
            record.
        attempts: Requests made for the row.
        status_code: HTTP status of the last response.
        invoiced_id: The record's ID.
        error: Why the row is in its state.
        error_param: The field that the API blames.
        first_attempt_at: When the row was first sent.
        last_attempt_at: When the row was last sent.
        run_id: The run that wrote the entry.
        operation: Name of the operation.
        action: What was last sent: create, update, delete or void.
        succeeded_hash: Hash of the payload that last succeeded.
        generation: Number of the row's idempotency key, from 1; 0 before the first request.
        key_sent_at: When the idempotency key was first used.
        may_run_until: Until when the API may still carry out the last request.
        lookup: How the outcome is looked up (`Lookup`), JSON.
        api_key: Fingerprint of the API key, not the key.
        host: The host that the request went to.
        version: Grows with every change. A write counts only if nobody else changed the entry since
            it was read.
    """

    writeback: str
    record_key: str
    payload_hash: str
    idempotency_key: str | None = None
    state: State = "planned"
    attempts: int = 0
    status_code: int | None = None
    invoiced_id: str | None = None
    error: str | None = None
    error_param: str | None = None
    first_attempt_at: datetime | None = None
    last_attempt_at: datetime | None = None
    run_id: str = ""
    operation: str = ""
    action: str = ""
    succeeded_hash: str | None = None
    generation: int = 0
    key_sent_at: datetime | None = None
    may_run_until: datetime | None = None
    lookup: str | None = None
    api_key: str = ""
    host: str = ""
    version: int = 0


_COLUMNS = tuple(field.name for field in fields(Entry))
_values = attrgetter(*_COLUMNS)
_BIGINTS = {"attempts", "status_code", "generation", "version"}


def _type(column: str) -> str:
    if column in _BIGINTS:
        return "bigint"
    is_instant = column.endswith("_at") or column == "may_run_until"
    return "timestamp with time zone" if is_instant else "text"


_LAYOUT = TableLayout(
    name=LEDGER,
    types={name: _type(name) for name in _COLUMNS} | {"claim": "text"},
    key=("writeback", "record_key"),
)


class Ledger:
    """The ledger of one dataset; every access is one short session.

    Args:
        database: The warehouse; the caller holds the writer's lock.
        dataset: The schema.
    """

    def __init__(self, database: Database, dataset: str) -> None:
        self._database = database
        self._dataset = dataset

    def entries(self, writeback: str) -> dict[str, Entry]:
        """Reads the entries of a write-back; they are by record key.

        Raises:
            WarehouseError: The warehouse cannot be read.
        """
        if not self._database.exists():
            return {}
        with self._database.session(self._dataset, read_only=True) as session:
            if LEDGER not in session.tables():
                return {}
            names = ", ".join(f'"{name}"' for name in _COLUMNS)
            sql = f"select {names} from {LEDGER} where writeback = %s"  # noqa: S608 - our own names
            rows = session.rows(sql, [writeback])
        entries = [Entry(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]
        return {entry.record_key: entry for entry in entries}

    def write(
        self, entries: Sequence[Entry], responses: Sequence[StoredResponse] = ()
    ) -> dict[str, Entry]:
        """Writes entries of one write-back, and responses, in one transaction.

        An entry that another push changed since it was read stays as it is: two pushes at the same
        time cannot both claim a row.

        Returns:
            The entries that were written, by record key, with their new versions.

        Raises:
            WarehouseError: The warehouse cannot be written; nothing was.
        """
        if not entries and not responses:
            return {}
        claim = uuid.uuid4().hex
        new = [replace(entry, version=entry.version + 1) for entry in entries]
        with self._database.session(self._dataset) as session, session.transaction():
            _LAYOUT.create(session)
            _LAYOUT.upsert(
                session,
                [(*_values(entry), claim) for entry in new],
                condition=f"{LEDGER}.version = excluded.version - 1",
            )
            sql = f"select record_key from {LEDGER} where claim = %s"  # noqa: S608 - our own names
            written = {key for (key,) in session.rows(sql, [claim])} if new else set()
            write_responses(session, responses)
        return {entry.record_key: entry for entry in new if entry.record_key in written}


def counts(entries: Mapping[str, Entry]) -> dict[str, int]:
    """How many entries are in each state: every state, in the order of `State`."""
    states: tuple[State, ...]
    states = ("planned", "sent", "succeeded", "rejected", "unknown", "held", "invalid")
    return {state: sum(entry.state == state for entry in entries.values()) for state in states}
