"""Exact amounts, shares and prices in the currencies of seeded customers."""

from decimal import Decimal

from invoiced_emulator.amounts import money

Number = int | Decimal
"""An exact number; whole numbers are `int`, since the API writes them without a fraction."""

_PER_DOLLAR = {
    "bhd": Decimal("0.38"),
    "eur": Decimal("0.92"),
    "jpy": Decimal(150),
    "kwd": Decimal("0.31"),
    "usd": Decimal(1),
}

CURRENCIES = tuple(_PER_DOLLAR)
"""The currencies of seeded customers."""


def exact(amount: Number) -> Number:
    """Returns an amount without trailing zeros: `100`, `51.15`."""
    whole = int(amount)
    return whole if whole == amount else Decimal(amount).normalize()


def rounded(amount: Number, currency: str) -> Number:
    """Rounds an amount to the currency's smallest unit, half away from zero."""
    return exact(money.rounded(Decimal(amount), currency))


def share(amount: Number, percent: Number, currency: str) -> Number:
    """Returns so many percent of an amount, rounded to the currency's smallest unit."""
    return rounded(Decimal(amount) * percent / 100, currency)


def converted(dollars: Number, currency: str) -> Number:
    """Converts a price in US dollars to another currency, roughly."""
    return rounded(dollars * _PER_DOLLAR[currency], currency)
