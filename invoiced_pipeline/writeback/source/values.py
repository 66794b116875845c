"""Converts values of the warehouse to those of the API: exact numbers, epoch seconds, objects."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from invoiced_pipeline.catalog.operations import Field
from invoiced_pipeline.exact_json import decode_exact
from invoiced_pipeline.writeback.source.decimal_notation import NUMERIC, Notation, number_of
from invoiced_pipeline.writeback.source.instants import Instant, as_instant

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_STRUCTURED = frozenset({"metadata", "object", "array", "any"})
_BINARY = (bytes, bytearray, memoryview)

FAILURES = (ValueError, TypeError, ArithmeticError, RecursionError, msgspec.MsgspecError)
"""What the conversion of a value can raise, for example numbers that Python cannot convert, years
beyond 9999, or objects nested too deeply for its stack."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A value that has no form in JSON.

    Attributes:
        reason: Why, to follow the field's name: "is binary data".
    """

    reason: str


def cell(value: Any, *, is_json: bool = False) -> Any:
    """Converts like `plain`; returns an `Unreadable` if the value has no form in JSON."""
    try:
        return plain(value, is_json=is_json)
    except RecursionError:
        return Unreadable("is nested too deeply")
    except FAILURES as error:
        return Unreadable(f"cannot be read as a value of JSON ({error})")


def plain(value: Any, *, is_json: bool = False) -> Any:
    """Converts a value of the warehouse to one of JSON; instants become epoch seconds.

    Naive timestamps are UTC. NULLs inside objects are left out: a struct has all its fields in
    every row.

    Args:
        value: As the warehouse's driver returns it.
        is_json: Whether its column is of a JSON type.
    """
    if is_json and isinstance(value, str):
        return _decoded(value)
    if isinstance(value, date):
        return Instant.of(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str | Decimal):
        return value
    if isinstance(value, _BINARY):
        return Unreadable("is binary data: convert it to text in the source")
    if isinstance(value, set | frozenset):
        return Unreadable("is a set, whose values have no order: use a list")
    return str(value)


def fitted(value: Any, field: Field, notation: Notation = ".") -> Any:
    """Converts a plain value to the type of its field if nothing is lost; else returns it as it is.

    A CSV file has only text, and a customer's number may be numeric in the warehouse.

    Args:
        value: A plain value.
        field: The field.
        notation: The decimal separator of numbers in text.
    """
    if isinstance(value, str) and field.type != "text":
        value = value.strip()
    if isinstance(value, str) and field.type in NUMERIC:
        value = _read_number(value, field, notation)
    convert = _CONVERTERS.get(field.type)
    if convert is not None and value is not None:
        value = convert(value)
    value = decoded(value, field)
    return _fitted_inside(value, field.elements, notation) if field.elements else value


def decoded(value: Any, field: Field) -> Any:
    """Decodes a text of JSON if the field takes an object or array; else returns the value."""
    if field.type in _STRUCTURED and isinstance(value, str) and value.strip()[:1] in {"{", "["}:
        return _decoded(value)
    return value


def _fitted_inside(value: Any, elements: Iterable[Field], notation: Notation) -> Any:
    if isinstance(value, list):
        return [_fitted_inside(item, elements, notation) for item in value]
    if not isinstance(value, dict):
        return value
    by_name = {each.name: each for each in elements}
    return {
        name: fitted(item, by_name[name], notation) if name in by_name else item
        for name, item in value.items()
        if item is not None
    }


def as_decimal(value: Any) -> Decimal | None:
    """The exact number; None if the value is not a number, such as a date or NaN."""
    if isinstance(value, bool | Instant) or not isinstance(value, int | Decimal | str):
        return None
    number = number_of(value) if isinstance(value, str) else Decimal(value)
    return number if number is not None and number.is_finite() else None


def _read_number(text: str, field: Field, notation: Notation) -> Any:
    """The number in a text, else the text: an id with an exponent may have lost digits."""
    if field.type == "integer" and "e" in text.lower():
        return text
    number = number_of(text, notation)
    return text if number is None else number


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return value
    number = as_decimal(value)
    return value if number is None else number


def _integer(value: Any) -> Any:
    number = None if isinstance(value, str) else as_decimal(value)
    if number is None or number != number.to_integral_value():
        return value
    return int(number)


def _boolean(value: Any) -> Any:
    return _BOOLEANS.get(str(value).lower(), value)


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        text = format(value, "f") if value.is_finite() else ""
        return (text.rstrip("0").rstrip(".") if "." in text else text) or value
    return str(int(value)) if isinstance(value, int) and not isinstance(value, bool) else value


def _decoded(text: str) -> Any:
    try:
        return decode_exact(text)
    except (msgspec.DecodeError, UnicodeError):
        return text
    except RecursionError:
        return Unreadable("is nested too deeply")


_CONVERTERS = {
    "number": _number,
    "integer": _integer,
    "timestamp": as_instant,
    "boolean": _boolean,
    "text": _text,
    "email": _text,
    "choice": _text,
    "currency": _text,
    "country": _text,
    "token": _text,
}
