"""What all write handlers share: the record and its lock, option checks, the answer."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.lists.listing import record_json, visible_key
from invoiced_emulator.protocol.errors import refused, unknown_options
from invoiced_emulator.protocol.exact_json import encode
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.unit_of_work import Record

NO_CONTENT = Response(204)
_LOCKABLE = frozenset(
    {"customers", "invoices", "credit_notes", "estimates", "subscriptions", "payments"}
)
"""Kinds whose records one process at a time may edit."""
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def record_in_path(call: Call, collection: str) -> Record:
    """The record that the path names.

    Raises:
        ApiError: 404 when there is none, 400 while another process edits it.
    """
    return unlocked_record(call, collection, call.arguments[-1])


def unlocked_record(call: Call, collection: str, record_id: object) -> Record:
    """A record that the request changes, or something below it.

    Raises:
        ApiError: 404 when there is none, 400 while another process edits it.
    """
    key = visible_key(call, KINDS[collection], record_id)
    if collection in _LOCKABLE and call.shared.locks.get(f"{collection}/{key}"):
        name = KINDS[collection].title.lower()
        raise refused(
            f"This {name} is currently being updated by another process. Please try again later."
        )
    return call.shared.store.at(collection, key) or {}


@contextmanager
def committed(call: Call) -> Iterator[None]:
    """One transaction of a route that is not atomic; its events are written with it."""
    with call.shared.store.transaction():
        yield
        call.work.finish()


def record_response(call: Call, collection: str, record: Record, status: int = 200) -> Response:
    """The answer to a write: the record, its metadata as it was sent."""
    key = record["internal_id"] if KINDS[collection].versioned else int(record["id"])
    body = record_json(call, KINDS[collection], key)
    if isinstance(call.body.get("metadata"), dict):
        # Observed: the answer to the write echoes the values, later answers hold text.
        fields = _FIELDS.decode(body)
        if "metadata" in fields:
            fields["metadata"] = msgspec.Raw(encode(call.body["metadata"]))
            body = msgspec.json.encode(fields)
    return Response(status, body)


def refuse_query(call: Call) -> None:
    """Refuse any query parameter, as most DELETE routes do.

    Raises:
        ApiError: 400 with param `query`.
    """
    if call.query:
        raise unknown_options(call.query, (), "query")


def refuse_unknown(call: Call, defined: Iterable[str]) -> None:
    """Refuse body options that a strict route does not define.

    Raises:
        ApiError: 400 with param `request`.
    """
    known = set(defined)
    if unknown := call.body.keys() - known:
        raise unknown_options(unknown, known, "request")


def existing_customer(call: Call, value: Any, *, param: str | None = "customer") -> Record:
    """The customer that a body names.

    Raises:
        ApiError: 400 `Customer missing` or `No such customer: 9`.
    """
    if value is None or value == "":
        raise refused("Customer missing", param)
    customer = call.shared.store.get("customers", value)
    if customer is None:
        raise refused(f"No such customer: {value}", param)
    return customer


def number_is_taken(call: Call, collection: str, number: str, record_id: object) -> bool:
    """Another record of the collection has this number."""
    sql = "SELECT key FROM records WHERE collection = ? AND label = ? AND key <> ? LIMIT 1"
    own = record_id if isinstance(record_id, int) else 0
    return bool(call.shared.store.rows(sql, (collection, number, own)))


def next_number(call: Call, collection: str, prefix: str) -> str:
    """The next free number of a collection, e.g. `INV-00042`; used ones are skipped.

    Raises:
        ApiError: 400 when a hundred numbers in a row are taken.
    """
    store = call.shared.store
    sql = (
        "SELECT max(CAST(substr(label, ?) AS INTEGER)) FROM records "
        "WHERE collection = ? AND label GLOB ?"
    )
    sequence = f"number:{collection}"
    started = store.rows("SELECT 1 FROM sequences WHERE name = ?", (sequence,))
    highest = 0
    if not started:
        # The first number after seeded or loaded records follows theirs.
        pattern = f"{prefix}[0-9]*"
        highest = store.rows(sql, (len(prefix) + 1, collection, pattern))[0][0] or 0
    for _ in range(100):
        number = f"{prefix}{store.next_value(sequence, above=highest):05d}"
        if not number_is_taken(call, collection, number, None):
            return number
    raise refused(f"Could not generate a number for {collection}", "number")


def with_twins(record: Record, names: Mapping[str, str] | Iterable[str]) -> Record:
    """The record with `<name>_id` beside every relation `<name>`."""
    return record | {f"{name}_id": record.get(name) for name in names}
