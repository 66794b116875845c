"""Amounts in a currency's smallest unit."""

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from invoiced_emulator.protocol.currencies import CURRENCIES


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount in the currency's smallest unit, half away from zero."""
    return amount.quantize(_unit(currency), rounding=ROUND_HALF_UP)


def rounded_up(amount: Decimal, currency: str) -> Decimal:
    """An amount in the currency's smallest unit, upwards."""
    return amount.quantize(_unit(currency), rounding=ROUND_CEILING)


def _unit(currency: str) -> Decimal:
    return Decimal(1).scaleb(-CURRENCIES.get(currency, 2))
