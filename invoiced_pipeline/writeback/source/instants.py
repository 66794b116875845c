"""Dates and times as epoch seconds, accepted only if their unit is certain."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self

EARLIEST = 631_152_000
"""1990-01-01. A smaller number is a year, a spreadsheet's serial number, or a date written as
20261107: nobody sends documents that old."""
LATEST = 4_102_444_800
"""2100-01-01. A larger number is milliseconds."""

ACCEPTED = (
    "Accepted are ISO dates and timestamps (2026-11-07, 2026-11-07T09:30:00Z), dates written as "
    "20261107, seconds since 1970 (10 digits, such as 1794009600) and dates of the warehouse. "
    'Another form is set in the mapping: { column = "...", format = "%d.%m.%Y" }'
)
"""The accepted forms of a date, and the setting for others."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?|[0-9]{8}T[0-9].*", re.ASCII)
_WHOLE = re.compile(r"(?P<digits>[0-9]{8,10})(\.0+)?", re.ASCII)


class Instant(int):
    """Seconds since 1970 that come from a date, or are plausible as a date.

    Attributes:
        written: The source's text or number, if it was read by our own rule (`20261107`).
    """

    written: str | None = None

    @classmethod
    def of(cls, value: datetime | date, written: str | None = None) -> Self:
        """Makes an instant of a date (midnight UTC) or of a datetime (naive ones are UTC).

        Fractions of a second are dropped.
        """
        if not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - UTC, below
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        found = cls(int(aware.timestamp()))
        found.written = written
        return found

    @property
    def shown(self) -> str:
        """The date in UTC, with the time unless it is midnight."""
        try:
            at = _EPOCH + timedelta(seconds=int(self))
        except OverflowError:
            return "infinity" if self > 0 else "-infinity"
        is_midnight = at.time() == _EPOCH.time()
        return at.date().isoformat() if is_midnight else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def as_instant(value: Any) -> Any:
    """Converts a plain value that is certainly a date; returns any other value as it is."""
    if isinstance(value, Instant | bool):
        return value
    if isinstance(value, str) and _ISO.fullmatch(value):
        try:
            return Instant.of(datetime.fromisoformat(value))
        except (ValueError, OverflowError):
            return value
    text = str(value) if isinstance(value, int | Decimal | str) else ""
    found = _WHOLE.fullmatch(text)
    return value if found is None else _of_digits(found["digits"], text, value)


def with_format(value: Any, form: str) -> Any:
    """Reads a value in a declared format; dates of the warehouse are instants already.

    Raises:
        ValueError: The value does not have the format.
    """
    if value is None or value == "" or isinstance(value, Instant):
        return value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    return Instant.of(datetime.strptime(str(value).strip(), form))  # noqa: DTZ007 - naive ones are UTC


def _of_digits(digits: str, text: str, value: Any) -> Any:
    if EARLIEST <= int(digits) < LATEST:
        return Instant(digits)
    try:
        day = datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return value
    is_plausible = len(digits) == 8 and EARLIEST <= day.timestamp() < LATEST
    return Instant.of(day, text) if is_plausible else value
