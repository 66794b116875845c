"""Creates and updates plans."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.catalog.versions import new_id
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.properties import Property, accepted_values, as_decimal, missing
from invoiced_emulator.writes.options import refuse_unknown
from invoiced_emulator.writes.records import record_in_path
from invoiced_emulator.writes.responses import record_response

_NAME = Property(nullable=False)
_LONG = Property(longest=65_535)
PROPERTIES: Mapping[str, Property] = {
    "name": _NAME,
    "currency": Property("currency", nullable=False),
    "amount": Property("number"),
    "interval": Property("choice", nullable=False, choices=("day", "week", "month", "year")),
    "interval_count": Property("integer", nullable=False),
    "pricing_mode": Property(
        "choice", nullable=False, choices=("per_unit", "volume", "tiered", "custom")
    ),
    "tiers": Property("any"),
    "description": _LONG,
    "notes": _LONG,
    "catalog_item": Property(),
    "metadata": Property("metadata"),
}
_FIXED = frozenset({"id", "currency", "amount", "interval", "interval_count"})
"""Properties that an update accepts and ignores."""


def create(call: Call) -> Response:
    """Handles POST /plans."""
    refuse_unknown(call, {*PROPERTIES, "id"})
    values = accepted_values(call.body, PROPERTIES)
    mode = values.get("pricing_mode", "per_unit")
    if mode == "per_unit" and values.get("amount") is None:
        raise refused("Non-custom plans are required to have an amount", "amount")
    if mode == "custom" and values.get("amount") is not None:
        raise refused("Amounts are not allowed on plans that have a custom pricing mode", "amount")
    for name in ("name", "interval", "interval_count"):
        if values.get(name) is None:
            raise missing(name)
    if values["interval_count"] < 1:
        raise refused("Interval Count is invalid", "interval_count")
    plan = {
        "currency": call.shared.account.currency,
        "pricing_mode": mode,
        "quantity_type": "constant",
        "amount": None,
        "tiers": None,
        "description": None,
        "notes": None,
        "catalog_item": None,
        "metadata": {},
        "archived": False,
        "num_subscriptions": 0,
        **values,
        "id": new_id(call, "plans"),
    }
    if mode in {"volume", "tiered"}:
        plan["amount"] = values.get("amount", 0)
        _check_tiers(plan["tiers"])
    return record_response(call, "plans", call.work.create("plans", plan), 201)


def update(call: Call) -> Response:
    """Handles PATCH /plans/:id."""
    plan = record_in_path(call, "plans")
    refuse_unknown(call, {*PROPERTIES, "id"})
    if call.body:
        values = accepted_values(call.body, PROPERTIES)
        effective = {name: value for name, value in values.items() if name not in _FIXED}
        if effective.get("tiers") is not None:
            _check_tiers(effective["tiers"])
        plan = call.work.save("plans", plan, plan | effective)
    return record_response(call, "plans", plan)


def _check_tiers(tiers: Any) -> None:
    """Refuses tiers that overlap or do not start at 0.

    Raises:
        ApiError: 400 with param `tiers`.
    """
    if not isinstance(tiers, list) or not tiers:
        raise refused("Tiers is missing", "tiers")
    if as_decimal(tiers[0].get("min_qty") or 0) != 0:
        raise refused("The first tier must be 0 or left blank", "tiers")
    for before, after in pairwise(tiers):
        upper, lower = as_decimal(before.get("max_qty")), as_decimal(after.get("min_qty"))
        if upper is None or lower is None or lower <= upper:
            raise refused("Invalid pricing tiers because quantity ranges overlap.", "tiers")
