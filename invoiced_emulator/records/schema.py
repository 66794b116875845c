"""The SQLite schema of the store, and the rows of a record."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from invoiced_emulator.protocol.exact_json import encode
from invoiced_emulator.records.kinds import COLLECTION_OF, KINDS

# `records` holds what lists filter and sort by. The JSON texts are in `bodies`, so that walking a
# window of 100,000 rows does not read 100,000 texts.
SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    collection TEXT NOT NULL,
    key INTEGER NOT NULL,
    id TEXT COLLATE NOCASE,
    customer INTEGER,
    payment INTEGER,
    invoice INTEGER,
    label TEXT COLLATE NOCASE,
    date INTEGER,
    created_at INTEGER,
    updated_at INTEGER,
    state INTEGER NOT NULL,
    held INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (collection, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_updated ON records (collection, updated_at, state, held);
CREATE INDEX IF NOT EXISTS records_id ON records (collection, id) WHERE id IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_customer ON records (customer, collection)
    WHERE customer IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_payment ON records (payment) WHERE payment IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_invoice ON records (invoice) WHERE invoice IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_label ON records (collection, label) WHERE label IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_date ON records (collection, date) WHERE date IS NOT NULL;
CREATE TABLE IF NOT EXISTS bodies (
    collection TEXT NOT NULL,
    key INTEGER NOT NULL,
    body TEXT NOT NULL,
    hidden TEXT,
    UNIQUE (collection, key)
);
CREATE TABLE IF NOT EXISTS event_links (
    object TEXT NOT NULL,
    object_id TEXT NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (object, object_id, event)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sequences (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS replays (
    key TEXT PRIMARY KEY, status INTEGER NOT NULL, body BLOB, expires_at INTEGER NOT NULL
);
"""

RECORD_COLUMNS = (
    "collection, key, id, customer, payment, invoice, label, date, created_at, updated_at, state"
)

SHOWN, ARCHIVED, FINISHED = 0, 1, 2
"""Values of `state`: listed by default; archived or canceled; finished."""


def record_row(collection: str, key: int, record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Returns the row of a record in `records`, in the order of `RECORD_COLUMNS`."""
    versioned = KINDS[collection].versioned
    label = record.get("type") if collection == "events" else record.get("number")
    return (
        collection,
        key,
        str(record.get("id")) if versioned else None,
        _integer(_relation(record, "customer")),
        _integer(_relation(record, "payment")),
        _integer(_relation(record, "invoice")),
        label if isinstance(label, str) else None,
        _integer(record.get("timestamp" if collection == "events" else "date")),
        _integer(record.get("created_at")),
        _integer(record.get("updated_at")),
        _state(collection, record),
    )


def body_row(collection: str, key: int, record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Returns the row of a record in `bodies`: the fields shown and hidden by default."""
    kind = KINDS[collection]
    shown = kind.visible(record)
    hidden = {name: record[name] for name in sorted(record) if name in kind.hidden}
    return (
        collection,
        key,
        encode(shown).decode(),
        encode(hidden).decode() if hidden else None,
    )


def event_links(key: int, event: Mapping[str, Any]) -> set[tuple[str, str, int]]:
    """Returns the records that an event belongs to, as (object, id, event)."""
    kind = str(event.get("type", "")).split(".", maxsplit=1)[0]
    data = event.get("data")
    snapshot = data.get("object") if isinstance(data, Mapping) else None
    if not isinstance(snapshot, Mapping):
        return set()
    links = {(kind, str(snapshot["id"]), key)} if "id" in snapshot else set()
    for name in COLLECTION_OF:
        related = snapshot.get(name, snapshot.get(f"{name}_id"))
        related_id = related.get("id") if isinstance(related, Mapping) else related
        if isinstance(related_id, int | str):
            links.add((name, str(related_id), key))
    return links


def _relation(record: Mapping[str, Any], name: str) -> Any:
    value = record.get(name, record.get(f"{name}_id"))
    return value.get("id") if isinstance(value, Mapping) else value


def _integer(value: Any) -> int | None:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Decimal | float):
        return int(value)
    return None


def _state(collection: str, record: Mapping[str, Any]) -> int:
    if collection == "subscriptions":
        if record.get("canceled") or record.get("status") == "canceled":
            return ARCHIVED
        return FINISHED if record.get("finished") or record.get("status") == "finished" else SHOWN
    return ARCHIVED if record.get("archived") else SHOWN
