"""Money as the service counts it: decimals rounded to the currency, half away from zero."""

from decimal import ROUND_HALF_UP, Decimal

Number = int | Decimal
"""An exact number: whole ones are `int`, as the API writes them without a fraction."""

_STEP = {
    "bhd": Decimal("0.001"),
    "eur": Decimal("0.01"),
    "jpy": Decimal(1),
    "kwd": Decimal("0.001"),
    "usd": Decimal("0.01"),
}

_SCALE = {
    "bhd": Decimal("0.38"),
    "eur": Decimal("0.92"),
    "jpy": Decimal(150),
    "kwd": Decimal("0.31"),
    "usd": Decimal(1),
}

CURRENCIES = tuple(_STEP)


def exact(amount: Number) -> Number:
    """The same amount without trailing zeros: `100`, `51.15`."""
    whole = int(amount)
    return whole if whole == amount else Decimal(amount).normalize()


def rounded(amount: Number, currency: str) -> Number:
    """The amount in the minor units of the currency, half away from zero."""
    return exact(Decimal(amount).quantize(_STEP[currency], ROUND_HALF_UP))


def share(amount: Number, percent: Number, currency: str) -> Number:
    """That many percent of an amount, rounded to the currency."""
    return rounded(Decimal(amount) * percent / 100, currency)


def converted(dollars: Number, currency: str) -> Number:
    """A price of about that many US dollars in another currency."""
    return rounded(dollars * _SCALE[currency], currency)
