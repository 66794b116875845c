"""When two tools' values of one column count as equal. docs/coming-from.md lists the rules."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from invoiced_pipeline.catalog.model import ColumnType

_MILLISECONDS_FROM = 100_000_000_000
"""A larger number of seconds would be after the year 5000: it is milliseconds."""

_DECODER = msgspec.json.Decoder()

_ERRORS = (ValueError, ArithmeticError, TypeError, RecursionError, msgspec.MsgspecError)


def are_equal(kind: ColumnType, old: Any, new: Any) -> bool:
    """Returns whether two values of a column are the same value of Invoiced.

    Args:
        kind: The column's type in the catalog.
        old: The value in the other replica, of any type.
        new: The value in this project's.
    """
    if type(old) is type(new) and old == new:
        return True
    try:
        one, other = _READERS[kind](old), _READERS[kind](new)
    except _ERRORS:
        return str(old) == str(new)
    if isinstance(one, float) or isinstance(other, float):
        return one is not None and other is not None and float(one) == float(other)
    return bool(one == other)


def instant(value: Any) -> datetime | None:
    """Reads a time: with or without a zone (then UTC), a day, ISO text, or a number since 1970.

    Raises:
        ValueError: It is no time. Numbers that are too large raise OverflowError or OSError.
    """
    if isinstance(value, str):
        value = value.strip()
        value = datetime.fromisoformat(value) if "-" in value else number(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    if value is None:
        return None
    seconds = float(value)
    return datetime.fromtimestamp(seconds / (1000 if seconds > _MILLISECONDS_FROM else 1), UTC)


def number(value: Any) -> Decimal | int | float | None:
    """Reads a number, or a text of one; a float stays a float.

    Raises:
        ArithmeticError: It is no number.
    """
    if isinstance(value, str):
        return Decimal(value.strip()) if value.strip() else None
    if value is None or isinstance(value, int | float | Decimal):
        return value
    return Decimal(str(value))


def _boolean(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in {"true", "t", "1", "yes"}
    return bool(value)


def _text(value: Any) -> str | None:
    """Returns None for an empty text: loaders that go through CSV make no difference."""
    return None if value in {None, ""} else str(value)


def _json(value: Any) -> Any:
    """Returns JSON whose comparison ignores spaces, the order of keys, and 1 or 1.0."""
    if isinstance(value, str):
        return _DECODER.decode(value) if value.strip() else None
    return _plain(value)


def _plain(value: Any) -> Any:
    """Returns a nested value of a Parquet file as JSON has it: fractions are floats."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


_READERS: dict[ColumnType, Callable[[Any], Any]] = {
    "bigint": number,
    "decimal": number,
    "text": _text,
    "boolean": _boolean,
    "timestamp": instant,
    "json": _json,
}
