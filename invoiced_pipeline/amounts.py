"""Amounts with the decimals of their currency."""

from decimal import ROUND_HALF_UP, Decimal, localcontext

from invoiced_pipeline.catalog.currencies import CURRENCIES

_DIGITS = 60
"""More digits than any column holds; the default of 28 is too few."""


def amount_text(amount: Decimal, currency: str | None) -> str:
    """Formats an amount: `1,234,568` yen, `1,234.57` dollars, `1,234.568` Kuwaiti dinars.

    Args:
        amount: An amount in major units.
        currency: Its ISO 4217 code; an unknown one gets two decimals.
    """
    decimals = CURRENCIES.get((currency or "").lower(), 2)
    with localcontext(prec=_DIGITS, rounding=ROUND_HALF_UP):
        return f"{amount:,.{decimals}f}"
