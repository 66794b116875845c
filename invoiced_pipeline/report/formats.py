"""Amounts, shares and days as a reader expects them."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from invoiced_pipeline.amounts import amount_text

MINUS = "\N{MINUS SIGN}"


def money(amount: Decimal, currency: str) -> str:
    """Returns an amount with its currency: `USD 1,234.50`."""
    return f"{currency.upper()} {figure(amount, currency)}"


def figure(amount: Decimal | None, currency: str) -> str:
    """Returns an amount in the currency's decimals: `1,234.50`; nothing for None."""
    if amount is None:
        return ""
    return amount_text(amount, currency).replace("-", MINUS)


def number(value: Decimal | int | None) -> str:
    """Returns a number as it is: `62.90`, `1,204`; nothing for None."""
    return "" if value is None else f"{value:,}".replace("-", MINUS)


def one_decimal(value: Decimal) -> str:
    """Returns a number of days or percent with one decimal."""
    rounded = value.quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{rounded:,}".replace("-", MINUS)


def share(part: Decimal, whole: Decimal) -> str:
    """Returns a part in whole percent: `51%`; nothing without a positive whole."""
    if whole <= 0:
        return ""
    percent = (part / whole * 100).quantize(Decimal(1), ROUND_HALF_UP)
    return f"{percent}%".replace("-", MINUS)


def day(of: date | None) -> str:
    """Returns a day: `29 Nov 2026`; nothing for None."""
    return "" if of is None else f"{of.day} {of:%b %Y}"


def minute(instant: datetime | None) -> str:
    """Returns a UTC instant: `29 Nov 2026 17:49`; nothing for None."""
    return "" if instant is None else f"{day(instant)} {instant:%H:%M}"


def month(first: date) -> str:
    """Returns a month: `Nov 2026`."""
    return f"{first:%b %Y}"


def duration(seconds: float) -> str:
    """Returns a length of time in its largest units: `42 s`, `3 min 5 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    if whole < 48 * 3600:
        minutes = whole % 3600 // 60
        return f"{whole // 3600} h" + (f" {minutes} min" if minutes else "")
    return f"{whole // 86400} days"
