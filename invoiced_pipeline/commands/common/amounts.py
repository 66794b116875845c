"""Money as people write it: with the decimals of its currency."""

from decimal import ROUND_HALF_UP, Decimal, localcontext

from invoiced_pipeline.catalog.currencies import CURRENCIES

_DIGITS = 60
"""More than any column holds: the default of 28 would refuse some."""


def amount_text(amount: Decimal, currency: str | None) -> str:
    """Writes `1,234,568` yen, `1,234.57` dollars, `1,234.568` Kuwaiti dinars.

    Args:
        amount: In major units.
        currency: Its ISO 4217 code; two decimals are shown where it is not known.
    """
    decimals = CURRENCIES.get((currency or "").lower(), 2)
    with localcontext(prec=_DIGITS, rounding=ROUND_HALF_UP):
        return f"{amount:,.{decimals}f}"
