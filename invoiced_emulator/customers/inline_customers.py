"""Finds or creates the customer of a document: named by id, or inline as an object."""

from typing import Any

from invoiced_emulator.calls.call import Call
from invoiced_emulator.customers.customers import create_customer
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.records import existing_customer


def requested_customer(call: Call, sent: Any) -> Record:
    """Returns the customer that a body names, created if it does not exist.

    `sent` is an id, or an object that is looked up by its id, else by its number.

    Raises:
        ApiError: 400 with Invoiced's text.
    """
    if not isinstance(sent, dict):
        return existing_customer(call, sent)
    if sent.get("id") is not None:
        return existing_customer(call, sent["id"])
    number = sent.get("number")
    if number:
        sql = "SELECT key FROM records WHERE collection = 'customers' AND label = ?"
        found = call.shared.store.rows(sql, (str(number),))
        if found:
            return existing_customer(call, found[0][0])
    return create_customer(call, sent)
