"""`_writeback_ledger`: what was sent for every row, written before the request and after it."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime
from typing import Literal

from invoiced_pipeline.warehouse.database import Database, Session
from invoiced_pipeline.writeback.ledger.responses import Response, write_responses

LEDGER = "_writeback_ledger"

State = Literal["planned", "sent", "succeeded", "rejected", "unknown", "held", "invalid"]
"""The states of a row in `_writeback_ledger`."""

_CHUNK = 500
"""Rows in one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of one row of a write-back; instants are UTC.

    Attributes:
        writeback: Name of the write-back.
        record_key: The row's key.
        payload_hash: Of what the row wanted when it was last looked at.
        idempotency_key: Under which it was last sent; None where the method takes none.
        state: `planned` is to be sent, `sent` is on its way or has no known outcome yet, `unknown`
            has none that can be established, `held` waits for another record.
        attempts: Requests made for it.
        status_code: HTTP status of the last answer.
        invoiced_id: The record's id.
        error: Why it is in its state.
        error_param: The field that the API blames.
        first_attempt_at: When it was first sent.
        last_attempt_at: When it was last sent.
        run_id: The run that wrote the entry.
        operation: Name of the operation.
        action: What was last sent: create, update, delete or void.
        succeeded_hash: Of the payload that last succeeded.
        generation: Which of its idempotency keys this is.
        key_sent_at: When the key was first used.
        may_run_until: Until when the last request may still be carried out.
        lookup: How its outcome is established (`Lookup`), JSON.
        api_key: The API key's fingerprint, not the key.
        host: Where it was sent to.
        version: Grows with every change: a change counts only if nobody else made one meanwhile.
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
_BIGINTS = {"attempts", "status_code", "generation", "version"}


def _type(column: str) -> str:
    if column in _BIGINTS:
        return "bigint"
    instant = column.endswith("_at") or column == "may_run_until"
    return "timestamp with time zone" if instant else "text"


_NAMES = ", ".join(f'"{name}"' for name in _COLUMNS)
_DECLARED = ", ".join(f'"{name}" {_type(name)}' for name in _COLUMNS)
_UPDATES = ", ".join(
    f'"{name}" = excluded."{name}"'
    for name in (*_COLUMNS, "claim")
    if name not in {"writeback", "record_key"}
)
_PLACES = f"({', '.join(['%s'] * (len(_COLUMNS) + 1))})"


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
        """The entries of a write-back by record key."""
        if not self._database.exists():
            return {}
        with self._database.session(self._dataset, read_only=True) as session:
            return dict(_entries(session, writeback))

    def write(
        self, entries: Sequence[Entry], responses: Sequence[Response] = ()
    ) -> dict[str, Entry]:
        """Writes entries of one write-back and answers, all in one transaction.

        An entry that somebody else changed since it was read stays as it is: two pushes at once
        cannot both claim a row.

        Returns:
            The entries that were written, by record key, with their new versions.
        """
        if not entries and not responses:
            return {}
        claim = uuid.uuid4().hex
        new = [replace(entry, version=entry.version + 1) for entry in entries]
        with self._database.session(self._dataset) as session, session.transaction():
            _create(session)
            for some in _chunks(new):
                session.run(_upsert(len(some)), [v for e in some for v in (*astuple(e), claim)])
            sql = f"select record_key from {LEDGER} where claim = %s"  # noqa: S608 - our own names
            ours = {key for (key,) in session.rows(sql, [claim])} if new else set()
            write_responses(session, responses)
        return {entry.record_key: entry for entry in new if entry.record_key in ours}


def _create(session: Session) -> None:
    session.run(
        f"create table if not exists {LEDGER} ({_DECLARED}, claim text, "
        "primary key (writeback, record_key))"
    )


def _upsert(count: int) -> str:
    values = ", ".join([_PLACES] * count)
    return (
        f"insert into {LEDGER} ({_NAMES}, claim) values {values} "  # noqa: S608 - our own names
        f"on conflict (writeback, record_key) do update set {_UPDATES} "
        f"where {LEDGER}.version = excluded.version - 1"
    )


def _entries(session: Session, writeback: str) -> Iterator[tuple[str, Entry]]:
    if LEDGER not in session.tables():
        return
    sql = f"select {_NAMES} from {LEDGER} where writeback = %s"  # noqa: S608 - our own names
    for row in session.rows(sql, [writeback]):
        entry = Entry(**dict(zip(_COLUMNS, row, strict=True)))
        yield entry.record_key, entry


def _chunks(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(entries), _CHUNK):
        yield entries[start : start + _CHUNK]


def counts(entries: Mapping[str, Entry]) -> dict[str, int]:
    """How many entries are in each state, of all states in their order."""
    states: tuple[State, ...]
    states = ("planned", "sent", "succeeded", "rejected", "unknown", "held", "invalid")
    return {state: sum(entry.state == state for entry in entries.values()) for state in states}
