"""Finds the records that a request changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from invoiced_emulator.calls.call import Call
from invoiced_emulator.lists.read_handlers import visible_key
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.unit_of_work import Record

_LOCKABLE = frozenset(
    {"customers", "invoices", "credit_notes", "estimates", "subscriptions", "payments"}
)
"""Kinds whose records only one process at a time may edit."""


def record_in_path(call: Call, collection: str) -> Record:
    """Returns the record that the path names.

    Raises:
        ApiError: 404 when there is none, 400 while another process edits it.
    """
    return unlocked_record(call, collection, call.arguments[-1])


def unlocked_record(call: Call, collection: str, record_id: object) -> Record:
    """Returns a record that the request changes, unless it is locked.

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
    """Runs the block in one transaction of a route that is not atomic, and writes its events."""
    with call.shared.store.transaction():
        yield
        call.work.finish()


def existing_customer(call: Call, value: Any, *, param: str | None = "customer") -> Record:
    """Returns the customer that a body names.

    Raises:
        ApiError: 400 `Customer missing` or `No such customer: 9`.
    """
    if value is None or value == "":
        raise refused("Customer missing", param)
    customer = call.shared.store.get("customers", value)
    if customer is None:
        raise refused(f"No such customer: {value}", param)
    return customer
