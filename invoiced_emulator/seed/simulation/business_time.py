"""Months, working days and office hours, in epoch seconds UTC."""

import calendar
from datetime import UTC, datetime
from random import Random

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_SATURDAY = 5


def add_months(moment: int, months: int) -> int:
    """Returns the same day and time so many months later, or the last day of a shorter month."""
    at = datetime.fromtimestamp(moment, UTC)
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return int(at.replace(year=year, month=month + 1, day=day).timestamp())


def month_start(moment: int) -> int:
    """Returns the first start of a month at or after the moment."""
    at = datetime.fromtimestamp(moment, UTC)
    first = int(at.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp())
    return first if first == moment else add_months(first, 1)


def office_hours(random: Random, moment: int) -> int:
    """Returns a random time between 8:00 and 18:00 of a working day, not before the moment."""
    day = moment // DAY
    weekday = (day + 3) % 7  # the epoch began on a Thursday
    if weekday >= _SATURDAY:
        day += 7 - weekday
    chosen = day * DAY + 8 * HOUR + int(random.random() * 10 * HOUR)
    return chosen if chosen >= moment else moment + 1 + int(random.random() * HOUR)
