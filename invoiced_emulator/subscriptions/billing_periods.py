"""Billing periods of a plan, and recurring amounts per month."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from decimal import Decimal

_PER_MONTH = {
    "day": Decimal(365) / 12,
    "week": Decimal(52) / 12,
    "month": Decimal(1),
    "year": Decimal(1) / 12,
}
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


def period_end(start: int, interval: str, count: int, periods: int = 1) -> int:
    """Returns the last second of the n-th billing period from `start` (epoch seconds, UTC)."""
    begin = datetime.fromtimestamp(start, tz=UTC)
    if interval in _DAYS:
        end = begin + timedelta(days=_DAYS[interval] * count * periods)
    else:
        months = begin.month - 1 + _MONTHS[interval] * count * periods
        year, month = begin.year + months // 12, months % 12 + 1
        end = begin.replace(year=year, month=month, day=min(begin.day, monthrange(year, month)[1]))
    return int(end.timestamp()) - 1


def current_period(start: int, interval: str, count: int, now: int) -> tuple[int, int]:
    """Returns first and last second of the period of `now`, or of the first period."""
    begin, number = start, 1
    end = period_end(start, interval, count)
    while end < now:
        number += 1
        begin, end = end + 1, period_end(start, interval, count, number)
    return begin, end


def monthly(amount: Decimal, interval: str, count: int) -> Decimal:
    """Converts a recurring amount to one month."""
    return amount * _PER_MONTH[interval] / count


def interval_text(interval: str, count: int) -> str:
    """Returns e.g. `1 month` or `3 months`."""
    return f"{count} {interval}" if count == 1 else f"{count} {interval}s"
