"""Digests of values, so that a record can be compared later without the values being kept."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from invoiced_pipeline.invoiced.bodies import encode_body

_LOWER = frozenset({"email", "currency", "language"})
_UPPER = frozenset({"country", "approved"})


def digest(field: str, value: Any) -> str:
    """A short hash of a field's value, the same however the API writes the value down.

    It lower-cases e-mail addresses, trims texts, turns metadata into texts, and shows an object
    where its id was given (observed behaviour).
    """
    if isinstance(value, Mapping) and "id" in value and field != "metadata":
        value = value["id"]
    return hashlib.sha256(encode_body(_normal(field, value))).hexdigest()[:16]


def metadata_text(value: Any) -> str:
    """A metadata value as the API keeps it: a text (observed behaviour)."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else encode_body(value).decode()


def _normal(field: str, value: Any) -> Any:
    if isinstance(value, str):
        text = value.strip()
        if field in _LOWER:
            text = text.lower()
        elif field in _UPPER:
            text = text.upper()
        return text or None
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if isinstance(value, Mapping):
        if field == "metadata":
            return {str(name): metadata_text(item) for name, item in value.items()}
        return {name: _normal(name, item) for name, item in value.items()}
    return [_normal(field, item) for item in value]
