"""Plans and items: versioned by id, archived instead of deleted."""

import re
import secrets
import string
from collections.abc import Mapping
from typing import Any

from invoiced_emulator.amounts.line_items import public
from invoiced_emulator.calls.call import Call, Handler, Response
from invoiced_emulator.catalog.tiers import check_tiers
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.properties import Property, accepted_values, missing
from invoiced_emulator.records.schema import SHOWN
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.handling import (
    NO_CONTENT,
    record_in_path,
    record_response,
    refuse_query,
    refuse_unknown,
)

_ID = re.compile(r"[a-z0-9_:-]{2,}", re.IGNORECASE)
_ALPHABET = string.ascii_letters + string.digits
_NAME = Property(nullable=False)
_LONG = Property(longest=65_535)
_BOOLEAN = Property("boolean", nullable=False)
PLAN: Mapping[str, Property] = {
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
ITEM: Mapping[str, Property] = {
    "name": _NAME,
    "type": Property(),
    "currency": Property("currency"),
    "unit_cost": Property("number", nullable=False),
    "description": _LONG,
    "gl_account": Property(),
    "discountable": _BOOLEAN,
    "taxable": _BOOLEAN,
    "taxes": Property("any"),
    "avalara_tax_code": Property(),
    "avalara_location_code": Property(),
    "metadata": Property("metadata"),
}
_FIXED = {
    "plans": frozenset({"id", "currency", "amount", "interval", "interval_count"}),
    "items": frozenset({"id", "currency", "unit_cost", "discountable", "taxable", "taxes"}),
}
"""Properties that an update accepts and silently ignores."""


def create_plan(call: Call) -> Response:
    """POST /plans."""
    account = call.shared.account
    documented = account.documented_plan_options
    refuse_unknown(call, {*PLAN, "id"} | ({"quantity_type"} if documented else set()))
    values = accepted_values(call.body, PLAN)
    mode = values.get("pricing_mode", "per_unit")
    if mode == "per_unit" and values.get("amount") is None:
        raise refused("Non-custom plans are required to have an amount", "amount")
    if mode == "custom" and values.get("amount") is not None:
        raise refused("Amounts are not allowed on plans that have a custom pricing mode", "amount")
    if documented:
        values.setdefault("interval_count", 1)
    for name in ("name", "interval", "interval_count"):
        if values.get(name) is None:
            raise missing(name)
    if values["interval_count"] < 1:
        raise refused("Interval Count is invalid", "interval_count")
    plan = {
        "currency": account.currency,
        "pricing_mode": mode,
        "quantity_type": call.body.get("quantity_type", "constant"),
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
        check_tiers(plan["tiers"])
    return record_response(call, "plans", call.work.create("plans", plan), 201)


def create_item(call: Call) -> Response:
    """POST /items."""
    refuse_unknown(call, {*ITEM, "id"})
    values = accepted_values(call.body, ITEM)
    if values.get("name") is None:
        raise missing("name")
    if "taxes" in values:
        values["taxes"] = _tax_rates(call, values["taxes"])
    item = {
        **dict.fromkeys(ITEM),
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


def update_handler(collection: str, properties: Mapping[str, Property]) -> Handler:
    """The handler of PATCH; some properties are accepted and ignored."""
    fixed = _FIXED[collection]

    def handle(call: Call) -> Response:
        record = record_in_path(call, collection)
        refuse_unknown(call, {*properties, "id"})
        if call.body:
            values = accepted_values(call.body, properties)
            effective = {name: value for name, value in values.items() if name not in fixed}
            if effective.get("tiers") is not None:
                check_tiers(effective["tiers"])
            record = call.work.save(collection, record, record | effective)
        return record_response(call, collection, record)

    return handle


def archive_handler(collection: str) -> Handler:
    """The handler of DELETE: the record is archived, again and again without complaint."""

    def handle(call: Call) -> Response:
        refuse_query(call)
        record = record_in_path(call, collection)
        if not record.get("archived"):
            call.work.save(collection, record, record | {"archived": True})
        return NO_CONTENT

    return handle


def new_id(call: Call, collection: str) -> str:
    """The id that a request gives, or a new one.

    Raises:
        ApiError: 400 with param `id`.
    """
    record_id = call.body.get("id")
    if record_id in (None, ""):
        return "".join(secrets.choice(_ALPHABET) for _ in range(6))
    if not isinstance(record_id, str) or not _ID.fullmatch(record_id):
        raise refused("Id is invalid", "id")
    sql = "SELECT 1 FROM records WHERE collection = ? AND id = ? AND state = ?"
    if call.shared.store.rows(sql, (collection, record_id, SHOWN)):
        raise refused(f"An item already exists with ID: {record_id}", "id")
    return record_id


def _tax_rates(call: Call, sent: Any) -> list[Record]:
    ids = sent if isinstance(sent, list) else []
    found = [call.shared.store.get("tax_rates", str(each)) for each in ids]
    if any(rate is None for rate in found):
        raise refused("Taxes is invalid", "taxes")
    return [public("tax_rates", rate) for rate in found if rate is not None]
