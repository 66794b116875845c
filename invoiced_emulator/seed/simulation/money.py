"""Money as the service counts it: decimals rounded to the currency, half away from zero."""

from decimal import Decimal

from invoiced_emulator.amounts import money

Number = int | Decimal
"""An exact number: whole ones are `int`, as the API writes them without a fraction."""

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
    """The same amount without trailing zeros: `100`, `51.15`."""
    whole = int(amount)
    return whole if whole == amount else Decimal(amount).normalize()


def rounded(amount: Number, currency: str) -> Number:
    """The amount in the minor units of the currency, half away from zero."""
    return exact(money.rounded(Decimal(amount), currency))


def share(amount: Number, percent: Number, currency: str) -> Number:
    """That many percent of an amount, rounded to the currency."""
    return rounded(Decimal(amount) * percent / 100, currency)


def converted(dollars: Number, currency: str) -> Number:
    """A price of about that many US dollars in another currency."""
    return rounded(dollars * _PER_DOLLAR[currency], currency)
