"""Sets the amounts of a document from a request: lines, discounts, taxes and totals."""

from collections.abc import Mapping
from typing import Any

from invoiced_emulator.amounts.line_items import line_items, rates
from invoiced_emulator.amounts.totals import calculate
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.unit_of_work import Record, UnitOfWork

AMOUNTS = ("items", "discounts", "taxes", "discount", "tax")
"""Properties of a request that change a document's totals."""


def set_amounts(work: UnitOfWork, document: Record, body: Mapping[str, Any]) -> None:
    """Takes lines, discounts and taxes from a request body, then computes the totals.

    Raises:
        ApiError: 400 with param `items`.
    """
    if "items" in body:
        document["items"] = line_items(work, body["items"], document["items"])
    for name, flat, definition in (
        ("discounts", "discount", "coupon"),
        ("taxes", "tax", "tax_rate"),
    ):
        sent = body.get(name, body.get(flat))
        if name in body or flat in body:
            document[name] = rates(work, definition, sent)
    _check_same_tax(document)
    totals = calculate(document)
    document["subtotal"], document["total"] = totals.subtotal, totals.total


def _check_same_tax(document: Record) -> None:
    own = {tax["tax_rate"]["id"] for tax in document["taxes"] if tax.get("tax_rate")}
    for line in document["items"]:
        for tax in line.get("taxes", ()):
            if tax.get("tax_rate") and tax["tax_rate"]["id"] in own:
                raise refused(
                    f"This document cannot be saved because a tax rate (ID: "
                    f"{tax['tax_rate']['id']}) is being applied to a line item and the subtotal. "
                    "Please remove the tax rate from the line item or the subtotal.",
                    "items",
                )
