"""Creates, updates and deletes notes on customers and invoices."""

from collections.abc import Mapping

from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.protocol.errors import not_found
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.properties import Property, accepted_values, missing
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.options import refuse_query, refuse_unknown
from invoiced_emulator.writes.records import record_in_path
from invoiced_emulator.writes.responses import NO_CONTENT, record_response

PROPERTIES: Mapping[str, Property] = {
    "notes": Property(nullable=False, longest=65_535),
    "customer_id": Property("integer"),
    "invoice_id": Property("integer"),
}
_RELATIONS = {"customer_id": "customers", "invoice_id": "invoices"}


def create(call: Call) -> Response:
    """Handles POST /notes."""
    refuse_unknown(call, PROPERTIES)
    values = accepted_values(call.body, PROPERTIES)
    if values.get("notes") is None:
        raise missing("notes")
    relations: Record = {"customer": None, "invoice": None}
    for name, collection in _RELATIONS.items():
        record_id = values.pop(name, None)
        if record_id is None:
            continue
        if call.shared.store.get(collection, record_id) is None:
            raise not_found(KINDS[collection].title, record_id)
        relations[name.removesuffix("_id")] = record_id
    note = values | relations | {f"{name}_id": relations[name] for name in relations}
    note = call.work.create("notes", note | {"user_id": None, "user": None})
    return record_response(call, "notes", note, 201)


def update(call: Call) -> Response:
    """Handles PATCH /notes/:id."""
    note = record_in_path(call, "notes")
    refuse_unknown(call, ("notes",))
    if call.body:
        note = call.work.save("notes", note, note | accepted_values(call.body, PROPERTIES))
    return record_response(call, "notes", note)


def delete(call: Call) -> Response:
    """Handles DELETE /notes/:id."""
    refuse_query(call)
    call.work.delete("notes", record_in_path(call, "notes"))
    return NO_CONTENT
