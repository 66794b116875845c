"""Computes the totals of a document from its lines, discounts and taxes."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from invoiced_emulator.amounts.money import rounded, rounded_up
from invoiced_emulator.records.unit_of_work import Record

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Totals:
    """Subtotal and total of a document."""

    subtotal: Decimal
    total: Decimal


def calculate(document: Record) -> Totals:
    """Sets every amount of a document's lines, discounts and taxes, and returns its totals.

    All amounts are rounded to the currency's smallest unit. A line's discounts apply to the line,
    its taxes to the discounted line. The document's discounts apply to the discountable rest, its
    taxes to the taxable rest after that. An inclusive tax is part of the amount: it is taken out.

    Args:
        document: Changed in place; `items`, `discounts`, `taxes` and `currency` are read.
    """
    currency = document["currency"]
    subtotal = line_discounts = line_taxes = _ZERO
    not_discountable = not_taxable = _ZERO
    for line in document["items"]:
        discount, tax = _fill_line(line, currency)
        subtotal += line["amount"]
        line_discounts += discount
        line_taxes += tax
        if not line.get("discountable", True):
            not_discountable += line["amount"] - discount
        if not line.get("taxable", True):
            not_taxable += line["amount"] - discount
    base = subtotal - line_discounts - not_discountable
    discounts = _fill_rates(document["discounts"], "coupon", base, currency)
    taxable = subtotal - line_discounts - discounts - not_taxable
    included = _fill_included(document["taxes"], taxable, currency)
    taxes = _fill_rates(document["taxes"], "tax_rate", taxable, currency)
    subtotal -= included
    total = subtotal - line_discounts - discounts + line_taxes + taxes + included
    return Totals(subtotal, total)


def _fill_line(line: Record, currency: str) -> tuple[Decimal, Decimal]:
    amount = rounded(Decimal(line["quantity"]) * Decimal(line["unit_cost"]), currency)
    discount = _fill_rates(line.get("discounts", ()), "coupon", amount, currency)
    taxes = line.get("taxes", ())
    included = _fill_included(taxes, amount - discount, currency)
    tax = _fill_rates(taxes, "tax_rate", amount - discount, currency)
    line["amount"] = amount - included
    return discount, tax + included


def _fill_rates(rates: Iterable[Record], name: str, base: Decimal, currency: str) -> Decimal:
    """Sets the amount of each discount or exclusive tax and returns their sum."""
    total = _ZERO
    for rate in rates:
        definition = rate.get(name)
        if definition is None:
            rate["amount"] = rounded(Decimal(rate["amount"]), currency)
        elif definition.get("inclusive"):
            continue
        else:
            rate["amount"] = _amount(definition, base, currency)
        total += rate["amount"]
    return total


def _fill_included(taxes: Iterable[Record], base: Decimal, currency: str) -> Decimal:
    """Sets the amount of each inclusive tax and returns their sum."""
    total = _ZERO
    for tax in taxes:
        rate = tax.get("tax_rate")
        if rate is None or not rate.get("inclusive"):
            continue
        value = Decimal(rate["value"])
        if rate.get("is_percent", True):
            tax["amount"] = rounded_up(base * value / (_HUNDRED + value), currency)
        else:
            tax["amount"] = rounded(value, currency)
        total += tax["amount"]
    return total


def _amount(definition: dict[str, Any], base: Decimal, currency: str) -> Decimal:
    value = Decimal(definition["value"])
    if definition.get("is_percent", True):
        return rounded(base * value / _HUNDRED, currency)
    return rounded(value, currency)
