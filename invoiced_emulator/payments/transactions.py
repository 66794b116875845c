"""Transactions: money movements behind payments and credit balances."""

from typing import Any

from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.properties import Property, accepted_values
from invoiced_emulator.records.unit_of_work import Record, UnitOfWork
from invoiced_emulator.writes.records import record_in_path
from invoiced_emulator.writes.responses import record_response

_EMPTY = (
    "gateway",
    "gateway_id",
    "parent_transaction",
    "invoice",
    "credit_note",
    "estimate",
    "payment_source",
    "pdf_url",
)
_EDITABLE = {
    "date": Property("stamp", nullable=False),
    "method": Property(nullable=False),
    "notes": Property(longest=65_535),
    "gateway_id": Property(),
    "sent": Property("boolean", nullable=False),
    "metadata": Property("metadata"),
}
_EDITABLE_CHARGE = ("notes", "sent", "metadata")


def new_transaction(work: UnitOfWork, **fields: Any) -> Record:
    """Returns a transaction that is not stored.

    Args:
        work: Gives it its id.
        fields: The transaction's fields but for defaults, relations by their names without
            `_id`. Granted or applied credit is a negative amount.
    """
    payment = fields.get("payment")
    return {
        "id": work.store.next_key("transactions"),
        "object": "transaction",
        "status": "succeeded",
        "notes": None,
        **dict.fromkeys(_EMPTY),
        **fields,
        "payment": payment,
        "payment_id": payment,
        "metadata": {},
        "sent": False,
    }


def are_silent(work: UnitOfWork) -> bool:
    """Whether transactions of payments write no events, as on most accounts."""
    return "transaction_events" not in work.account.features


def update(call: Call) -> Response:
    """Handles PATCH /transactions/:id."""
    before = record_in_path(call, "transactions")
    if not call.body:
        return record_response(call, "transactions", before)
    if before.get("payment") is not None and set(call.body) - {"metadata"}:
        raise refused("You cannot edit a transaction with an associated payment.")
    values = accepted_values(call.body, _EDITABLE)
    if before.get("type") == "charge":
        values = {name: value for name, value in values.items() if name in _EDITABLE_CHARGE}
    silent = before.get("payment") is not None
    after = call.work.save("transactions", before, before | values, silent=silent)
    return record_response(call, "transactions", after)
