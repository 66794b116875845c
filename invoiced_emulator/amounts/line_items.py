"""Builds the line items, discounts and taxes of a document from a request."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.properties import as_boolean, as_decimal, check_metadata
from invoiced_emulator.records.properties import stored_metadata as metadata_text
from invoiced_emulator.records.unit_of_work import Record, UnitOfWork

# The objects inside documents share a sequence, which starts above the ids of any loaded record.
_NESTED_IDS_ABOVE = 1_000_000_000
_FROM_CATALOG = ("name", "description", "type", "unit_cost", "discountable", "taxable", "taxes")


def line_items(work: UnitOfWork, sent: Any, existing: list[Record]) -> list[Record]:
    """Returns the lines of a document: a line sent with an id changes the existing line.

    Raises:
        ApiError: 400 with param `items` for an id that the document does not have.
    """
    by_id = {line["id"]: line for line in existing if "id" in line}
    lines = []
    for item in _elements(sent):
        if not isinstance(item, dict):
            item = {"catalog_item": item}  # noqa: PLW2901 - a catalog item's id is the short form of a line
        if item.get("id") is None:
            lines.append(_line(work, item, None))
        elif item["id"] in by_id:
            lines.append(_line(work, item, by_id[item["id"]]))
        else:
            message = f"Referenced line item that does not exist: {item['id']}"
            raise refused(message, "items")
    return lines


def rates(work: UnitOfWork, name: str, sent: Any) -> list[Record]:
    """Returns the discounts or taxes that a request names.

    An element is the id of a coupon or tax rate, `{coupon}`, `{tax_rate}` or a flat `{amount}`.

    Unknown ids are left out, as in Invoiced.

    Args:
        work: Gives access to coupons and tax rates.
        name: `coupon` or `tax_rate`.
        sent: The request's array, or a number for one flat amount.
    """
    found = [_rate(work, name, each) for each in _elements(sent)]
    return [rate for rate in found if rate is not None]


def tax_rates(work: UnitOfWork, sent: Any) -> list[Record]:
    """Returns the tax rates that a request names by id, as a customer or item holds them.

    Raises:
        ApiError: 400 with param `taxes`, for an id that does not exist.
    """
    found = [work.store.get("tax_rates", str(each)) for each in _elements(sent)]
    if any(rate is None for rate in found):
        raise refused("Taxes is invalid", "taxes")
    return [KINDS["tax_rates"].visible(rate) for rate in found if rate is not None]


def _elements(sent: Any) -> list[Any]:
    if isinstance(sent, list):
        return sent
    if isinstance(sent, dict):
        return list(sent.values())
    return [] if sent in (None, "") else [{"amount": sent}]


def _line(work: UnitOfWork, item: Mapping[str, Any], kept: Record | None) -> Record:
    now = work.clock.now()
    line = dict(kept) if kept is not None else _new_line(work, now)
    catalog_item = item.get("catalog_item")
    if catalog_item:
        found = work.store.get("items", str(catalog_item))
        if found is not None and kept is None:
            line |= {name: found[name] for name in _FROM_CATALOG if found.get(name) is not None}
            line["taxes"] = rates(work, "tax_rate", [tax["id"] for tax in found.get("taxes", [])])
        line["catalog_item"] = catalog_item
    for name in ("name", "description", "type"):
        if name in item:
            line[name] = item[name]
    for name in ("quantity", "unit_cost"):
        if name in item:
            number = as_decimal(item[name])
            if number is None:
                raise refused(f"{name.replace('_', ' ').title()} only allows numbers", "items")
            line[name] = number
    for name in ("discountable", "taxable"):
        if name in item:
            line[name] = as_boolean(item[name])
    if "metadata" in item:
        check_metadata(item["metadata"])
        line["metadata"] = metadata_text(item["metadata"])
    for name, definition in (("discounts", "coupon"), ("taxes", "tax_rate")):
        if name in item:
            line[name] = rates(work, definition, item[name])
    return line | {"updated_at": now} if kept != line else line


def _new_line(work: UnitOfWork, now: int) -> Record:
    return {
        "id": nested_id(work),
        "object": "line_item",
        "catalog_item": None,
        "type": None,
        "name": "",
        "description": None,
        "quantity": Decimal(1),
        "unit_cost": Decimal(0),
        "amount": Decimal(0),
        "discountable": True,
        "discounts": [],
        "taxable": True,
        "taxes": [],
        "metadata": {},
        "created_at": now,
        "updated_at": now,
    }


def _rate(work: UnitOfWork, name: str, sent: Any) -> Record | None:
    definition, amount = sent, None
    if isinstance(sent, dict):
        definition = sent.get(name, sent.get("id") if "amount" not in sent else None)
        amount = as_decimal(sent.get("amount"))
    if isinstance(definition, dict):
        definition = definition.get("id")
    found = None
    if isinstance(definition, str) and definition:
        collection = "coupons" if name == "coupon" else "tax_rates"
        found = work.store.get(collection, definition)
        if found is None:
            return None
        found = KINDS[collection].visible(found)
    elif amount is None:
        return None
    rate = {
        "id": nested_id(work),
        "object": "discount" if name == "coupon" else "tax",
        "amount": amount or Decimal(0),
        name: found,
        "updated_at": work.clock.now(),
    }
    return rate | {"expires": None, "from_payment_terms": False} if name == "coupon" else rate


def nested_id(work: UnitOfWork) -> int:
    """Returns a new id for a line item, discount, tax or addon."""
    return work.store.next_value("nested", above=_NESTED_IDS_ABOVE)
