"""Creates and updates items."""

from collections.abc import Mapping

from invoiced_emulator.amounts.line_items import tax_rates
from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.catalog.versions import new_id
from invoiced_emulator.records.properties import Property, accepted_values, missing
from invoiced_emulator.writes.options import refuse_unknown
from invoiced_emulator.writes.records import record_in_path
from invoiced_emulator.writes.responses import record_response

_BOOLEAN = Property("boolean", nullable=False)
PROPERTIES: Mapping[str, Property] = {
    "name": Property(nullable=False),
    "type": Property(),
    "currency": Property("currency"),
    "unit_cost": Property("number", nullable=False),
    "description": Property(longest=65_535),
    "gl_account": Property(),
    "discountable": _BOOLEAN,
    "taxable": _BOOLEAN,
    "taxes": Property("any"),
    "avalara_tax_code": Property(),
    "avalara_location_code": Property(),
    "metadata": Property("metadata"),
}
_FIXED = frozenset({"id", "currency", "unit_cost", "discountable", "taxable", "taxes"})
"""Properties that an update accepts and ignores."""


def create(call: Call) -> Response:
    """Handles POST /items."""
    refuse_unknown(call, {*PROPERTIES, "id"})
    values = accepted_values(call.body, PROPERTIES)
    if values.get("name") is None:
        raise missing("name")
    if "taxes" in values:
        values["taxes"] = tax_rates(call.work, values["taxes"])
    item = {
        **dict.fromkeys(PROPERTIES),
        "unit_cost": 0,
        "discountable": True,
        "taxable": True,
        "taxes": [],
        "metadata": {},
        "archived": False,
        **values,
        "id": new_id(call, "items"),
    }
    return record_response(call, "items", call.work.create("items", item), 201)


def update(call: Call) -> Response:
    """Handles PATCH /items/:id."""
    item = record_in_path(call, "items")
    refuse_unknown(call, {*PROPERTIES, "id"})
    if call.body:
        values = accepted_values(call.body, PROPERTIES)
        effective = {name: value for name, value in values.items() if name not in _FIXED}
        item = call.work.save("items", item, item | effective)
    return record_response(call, "items", item)
