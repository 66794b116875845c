"""Values of a warehouse as the API takes them: exact numbers, epoch seconds, objects and arrays."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from invoiced_pipeline.catalog.operations import Field

DECODER = msgspec.json.Decoder(float_hook=Decimal)
"""Of JSON, with exact numbers."""
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_STRUCTURED = frozenset({"metadata", "object", "array", "any"})


def plain(value: Any, *, is_json: bool = False) -> Any:
    """A value of the warehouse as one of JSON: instants as epoch seconds, naive ones taken as UTC.

    NULLs inside of objects are left out: a struct has all its fields in every row.

    Args:
        value: As the warehouse's driver gives it.
        is_json: Whether its column is of a JSON type.
    """
    if is_json and isinstance(value, str):
        return _decoded(value)
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    if isinstance(value, date):
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str | Decimal):
        return value
    return str(value)


def fitted(value: Any, field: Field) -> Any:
    """A plain value in the type of a field, where that loses nothing; else as it is.

    A CSV has text only, and a number of a customer may be a number in the warehouse.
    """
    if isinstance(value, str) and field.type != "text":
        value = value.strip()
    convert = _CONVERTERS.get(field.type)
    if convert is not None and value is not None:
        value = convert(value)
    if field.type in _STRUCTURED and isinstance(value, str) and value[:1] in {"{", "["}:
        value = _decoded(value)
    return _fitted_inside(value, field.elements) if field.elements else value


def _fitted_inside(value: Any, elements: Iterable[Field]) -> Any:
    if isinstance(value, list):
        return [_fitted_inside(item, elements) for item in value]
    if not isinstance(value, dict):
        return value
    by_name = {each.name: each for each in elements}
    return {
        name: fitted(item, by_name[name]) if name in by_name else item
        for name, item in value.items()
        if item is not None
    }


def as_decimal(value: Any) -> Decimal | None:
    """A number as an exact one; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _number(value: Any) -> Any:
    number = as_decimal(value)
    return value if number is None else number


def _integer(value: Any) -> Any:
    number = as_decimal(value)
    if number is None or number != number.to_integral_value():
        return value
    return int(number)


def _timestamp(value: Any) -> Any:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return plain(datetime.fromisoformat(value))
        except ValueError:
            return value
    return _integer(value)


def _boolean(value: Any) -> Any:
    return _BOOLEANS.get(str(value).lower(), value)


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _decoded(text: str) -> Any:
    try:
        return DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return text


_CONVERTERS = {
    "number": _number,
    "integer": _integer,
    "timestamp": _timestamp,
    "boolean": _boolean,
    "text": _text,
    "email": _text,
    "choice": _text,
    "currency": _text,
    "country": _text,
    "token": _text,
}
