"""Creates, updates and deletes the contacts of a customer."""

from collections.abc import Mapping

from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.lists.read_handlers import int_or_zero, key_below
from invoiced_emulator.protocol.errors import not_found, refused
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.properties import Property, accepted_values, missing
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.options import refuse_query, refuse_unknown
from invoiced_emulator.writes.responses import NO_CONTENT, record_response

_MOST = 100
_TEXTS = "title department phone address1 address2 city state postal_code"
_BOOLEAN = Property("boolean", nullable=False)
PROPERTIES: Mapping[str, Property] = {
    "name": Property(nullable=False),
    "email": Property("email"),
    "primary": _BOOLEAN,
    "sms_enabled": _BOOLEAN,
    "send_new_invoices": _BOOLEAN,
    "country": Property("country"),
    **{name: Property() for name in _TEXTS.split()},
}
_OPTIONS = {*PROPERTIES, "role"}


def create(call: Call) -> Response:
    """Handles POST /customers/:id/contacts."""
    store = call.shared.store
    customer = store.get("customers", int_or_zero(call.arguments[0]))
    if customer is None:
        raise not_found("Customer", call.arguments[0])
    refuse_unknown(call, _OPTIONS)
    sql = "SELECT count(*) FROM records WHERE customer = ? AND collection = 'contacts'"
    if store.rows(sql, (customer["id"],))[0][0] >= _MOST:
        raise refused(f"The maximum number of contacts ({_MOST}) per customer has been reached.")
    values = _values(call)
    if values.get("name") is None:
        raise missing("name")
    contact = {
        **dict.fromkeys(PROPERTIES),
        "primary": True,
        "sms_enabled": False,
        "send_new_invoices": False,
        "role": None,
        "role_id": None,
        "country": customer.get("country"),
        **values,
        "customer": customer["id"],
        "customer_id": customer["id"],
    }
    return record_response(call, "contacts", call.work.create("contacts", contact), 201)


def update(call: Call) -> Response:
    """Handles PATCH /customers/:id/contacts/:id."""
    contact = _contact(call)
    refuse_unknown(call, _OPTIONS)
    if call.body:
        contact = call.work.save("contacts", contact, contact | _values(call))
    return record_response(call, "contacts", contact)


def delete(call: Call) -> Response:
    """Handles DELETE /customers/:id/contacts/:id."""
    refuse_query(call)
    call.work.delete("contacts", _contact(call))
    return NO_CONTENT


def _contact(call: Call) -> Record:
    key = key_below(call, KINDS["contacts"])
    return call.shared.store.at("contacts", key) or {}


def _values(call: Call) -> Record:
    if call.body.get("role") not in (None, ""):
        raise refused(f"Role was not found: {call.body['role']}")
    return accepted_values(call.body, PROPERTIES)
