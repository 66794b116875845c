"""Validates single values by the API's rules, which the catalog declares."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from invoiced_pipeline.catalog.countries import COUNTRIES
from invoiced_pipeline.catalog.currencies import CURRENCIES
from invoiced_pipeline.catalog.operations import (
    METADATA_KEY_LENGTH,
    METADATA_KEYS,
    METADATA_VALUE_LENGTH,
    Field,
)
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.writeback.source.instants import ACCEPTED, LATEST, Instant
from invoiced_pipeline.writeback.source.payment_data import is_card_number
from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.source.quoted_values import quoted
from invoiced_pipeline.writeback.source.values import as_decimal
from invoiced_pipeline.writeback.validation.stored_values import metadata_text

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_EXPECTED = {
    "number": "a number",
    "integer": "a whole number",
    "timestamp": "a date",
    "boolean": "true or false (1 and 0 are accepted)",
    "metadata": "an object",
    "object": "an object",
    "array": "an array",
}
_ADVICE = {
    "number": (
        'In text, numbers are read as 1234.56, or with decimal = "," as 1.234,56; thousands '
        "separators next to a decimal point, currency and percent signs, and parentheses are not"
    ),
    "timestamp": ACCEPTED,
}


def value_problems(field: Field, value: Any, place: str) -> Iterator[Problem]:
    """Yields the problems of a value.

    Args:
        field: Its field.
        value: A value of JSON, but not a reference to a record that does not exist yet.
        place: Its path in the body, such as `items[0].quantity`.
    """
    if value is None or value == "":
        if not field.nullable or (value is None and field.required):
            yield Problem(f"{place} is empty, and the API requires it", place)
        return
    if field.type in _EXPECTED and not _has_type(field, value):
        advice = _ADVICE.get("number" if field.type == "integer" else field.type)
        yield Problem(
            f"{place} must be {_EXPECTED[field.type]}, but is {quoted(value)}"
            + (f". {advice}" if advice and not isinstance(value, dict | list) else ""),
            place,
        )
        return
    check = _CHECKS.get(field.type)
    if check is not None:
        yield from check(field, value, place)
    yield from _bounds(field, value, place)


def metadata_problems(value: Mapping[str, Any], place: str, *, room: int) -> Iterator[Problem]:
    """Yields what the API refuses in metadata.

    Args:
        value: The object.
        place: Its path in the body.
        room: The number of keys it may have.
    """
    if len(value) > room:
        why = "" if room == METADATA_KEYS else " (the marker takes one more)"
        yield Problem(
            f"{place} has {counted(len(value), 'key')} but may have at most {room}{why}", place
        )
    for key, item in value.items():
        where = f"{place}.{key}"
        if len(key) > METADATA_KEY_LENGTH:
            yield Problem(
                f"{where}: a key may have at most {METADATA_KEY_LENGTH} characters", place
            )
        if item is None:
            yield Problem(f"{where} is null, which metadata cannot hold", place)
        elif len(metadata_text(item)) > METADATA_VALUE_LENGTH:
            most = METADATA_VALUE_LENGTH
            yield Problem(f"{where}: a value may have at most {most} characters", place)


def _has_type(field: Field, value: Any) -> bool:
    if field.type == "number":
        return as_decimal(value) is not None and not isinstance(value, str)
    if field.type == "timestamp":
        return isinstance(value, Instant)
    if field.type == "integer":
        return isinstance(value, int) and not isinstance(value, bool | Instant)
    if field.type == "boolean":
        return isinstance(value, bool)
    return isinstance(value, list if field.type == "array" else dict)


def _text(field: Field, value: Any, place: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield Problem(f"{place} must be text, but is {quoted(value)}", place)
    elif not field.shortest <= len(value) <= field.longest:
        bounds = f"{field.shortest} to {field.longest}"
        yield Problem(
            f"{place} has {counted(len(value), 'character')}, but may have {bounds}", place
        )


def _email(_field: Field, value: Any, place: str) -> Iterator[Problem]:
    if not isinstance(value, str) or not _EMAIL.fullmatch(value.strip()):
        yield Problem(f"{place} is not an email address: {quoted(value)}", place)


def _choice(field: Field, value: Any, place: str) -> Iterator[Problem]:
    if value not in field.choices:
        yield Problem(f"{place} is {quoted(value)}, but may be {', '.join(field.choices)}", place)


def _currency(_field: Field, value: Any, place: str) -> Iterator[Problem]:
    if str(value).lower() not in CURRENCIES:
        yield Problem(f"{place} is not a currency code of ISO 4217: {quoted(value)}", place)


def _country(_field: Field, value: Any, place: str) -> Iterator[Problem]:
    if str(value).upper() not in COUNTRIES:
        yield Problem(
            f"{place} is not a two-letter country code of ISO 3166: {quoted(value)}", place
        )


def _timestamp(_field: Field, value: Any, place: str) -> Iterator[Problem]:
    if not 0 <= value < LATEST:
        yield Problem(
            f"{place} is {quoted(value)}, and only dates from 1970 to 2099 are sent", place
        )


def _token(_field: Field, value: Any, place: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield Problem(f"{place} must be a token", place)
    elif is_card_number(value):
        yield Problem(
            f"{place} holds what looks like a card number: only a token may be sent", place
        )


def _bounds(field: Field, value: Any, place: str) -> Iterator[Problem]:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if field.above_zero and value <= 0:
            yield Problem(f"{place} is {value}, but must be above 0", place)
        elif field.not_negative and value < 0:
            yield Problem(f"{place} is {value}, but cannot be less than 0", place)


_CHECKS = {
    "text": _text,
    "email": _email,
    "choice": _choice,
    "currency": _currency,
    "country": _country,
    "timestamp": _timestamp,
    "token": _token,
}
