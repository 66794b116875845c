"""Amounts of records, and their rounding to the smallest unit of a currency."""

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from invoiced_emulator.protocol.currencies import CURRENCIES
from invoiced_emulator.records.unit_of_work import Record

_UNITS = {code: Decimal(1).scaleb(-decimals) for code, decimals in CURRENCIES.items()}
_CENT = Decimal("0.01")


def decimal(record: Record, name: str) -> Decimal:
    """Returns an amount of a record; 0 when it has none."""
    return Decimal(record.get(name) or 0)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Rounds an amount to the currency's smallest unit, half away from zero."""
    return amount.quantize(_UNITS.get(currency, _CENT), rounding=ROUND_HALF_UP)


def rounded_up(amount: Decimal, currency: str) -> Decimal:
    """Rounds an amount up to the currency's smallest unit."""
    return amount.quantize(_UNITS.get(currency, _CENT), rounding=ROUND_CEILING)
