"""Creates and updates coupons and tax rates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from invoiced_emulator.calls.call import Call, Handler, Response
from invoiced_emulator.catalog.versions import new_id
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.properties import Property, accepted_values, missing
from invoiced_emulator.writes.options import refuse_unknown
from invoiced_emulator.writes.records import record_in_path
from invoiced_emulator.writes.responses import record_response

_BOOLEAN = Property("boolean", nullable=False)
_SHARED: Mapping[str, Property] = {
    "name": Property(nullable=False),
    "currency": Property("currency"),
    "value": Property("number", nullable=False),
    "is_percent": _BOOLEAN,
    "metadata": Property("metadata"),
}
_EDITABLE = frozenset({"name", "metadata"})
"""An update accepts the other properties and ignores them, as for items."""


@dataclass(frozen=True, slots=True)
class RateKind:
    """Coupons or tax rates."""

    collection: str
    properties: Mapping[str, Property]
    defaults: Mapping[str, Any]


COUPONS = RateKind(
    "coupons",
    _SHARED
    | {
        "exclusive": _BOOLEAN,
        "expiration_date": Property("stamp"),
        "max_redemptions": Property("integer", nullable=False),
        "duration": Property("integer", nullable=False),
    },
    {"exclusive": False, "expiration_date": None, "max_redemptions": 0, "duration": 0},
)
TAX_RATES = RateKind("tax_rates", _SHARED | {"inclusive": _BOOLEAN}, {"inclusive": False})


def create_handler(kind: RateKind) -> Handler:
    """Returns the handler of POST for coupons or tax rates."""

    def handle(call: Call) -> Response:
        refuse_unknown(call, {*kind.properties, "id"})
        values = accepted_values(call.body, kind.properties)
        for name in ("name", "value"):
            if values.get(name) is None:
                raise missing(name)
        if values["value"] < 0:
            raise refused("Value is invalid", "value")
        rate = {
            "is_percent": True,
            "metadata": {},
            "archived": False,
            **kind.defaults,
            **values,
            "id": new_id(call, kind.collection),
        }
        account = call.shared.account
        rate["currency"] = None if rate["is_percent"] else values.get("currency", account.currency)
        return record_response(call, kind.collection, call.work.create(kind.collection, rate), 201)

    return handle


def update_handler(kind: RateKind) -> Handler:
    """Returns the handler of PATCH for coupons or tax rates."""

    def handle(call: Call) -> Response:
        rate = record_in_path(call, kind.collection)
        refuse_unknown(call, {*kind.properties, "id"})
        if call.body:
            values = accepted_values(call.body, kind.properties)
            effective = {name: value for name, value in values.items() if name in _EDITABLE}
            rate = call.work.save(kind.collection, rate, rate | effective)
        return record_response(call, kind.collection, rate)

    return handle
