"""Whether a record is what was asked for, in the API's own way of writing it down.

The API lower-cases e-mail addresses, trims texts, turns metadata into texts and takes an empty
text for null (observed behaviour): that is how it writes down what was asked, and no drift. What it
fills in by itself was not asked for, and is not compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from invoiced_pipeline.invoiced.bodies import encode_body

_LOWER = frozenset({"email", "currency", "language"})
_UPPER = frozenset({"country", "approved"})


@dataclass(frozen=True, slots=True)
class Drift:
    """A field that is not as it was asked for; `field` is a path, e.g. `items.0.unit_cost`."""

    field: str
    asked: Any
    found: Any


def drifts(asked: Mapping[str, Any], record: Mapping[str, Any]) -> list[Drift]:
    """Fields of `record` that are not as `asked`; those that it does not show are left out."""
    return [
        drift
        for name, value in asked.items()
        if name in record
        for drift in _differences(name, name, value, record[name])
    ]


def comparable(asked: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Whether the record shows any of the fields that were asked for."""
    return any(name in record for name in asked)


def normal(field: str, value: Any) -> Any:
    """A value as it is compared: numbers as such, texts trimmed, in the API's case; "" is None."""
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
        return {name: normal(name, item) for name, item in value.items()}
    return [normal(field, item) for item in value]


def metadata_text(value: Any) -> str:
    """A metadata value as the API keeps it: a text (observed behaviour)."""
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, str):
        return value
    return "" if value is None else encode_body(value).decode()


def _differences(path: str, field: str, asked: Any, found: Any) -> list[Drift]:
    if field == "metadata" and isinstance(asked, Mapping) and isinstance(found, Mapping | list):
        same = normal(field, asked) == normal(field, found or {})
        return [] if same else [Drift(path, asked, found)]
    if isinstance(asked, Mapping) and isinstance(found, Mapping):
        return [
            drift
            for name, value in asked.items()
            if name in found
            for drift in _differences(f"{path}.{name}", name, value, found[name])
        ]
    if isinstance(found, Mapping) and "id" in found:
        return _differences(path, field, asked, found["id"])  # the object in place of its id
    if isinstance(asked, Sequence) and not isinstance(asked, str) and isinstance(found, list):
        if len(asked) != len(found):
            return [Drift(path, asked, found)]
        pairs = enumerate(zip(asked, found, strict=True))
        return [
            drift
            for at, (one, other) in pairs
            for drift in _differences(f"{path}.{at}", field, one, other)
        ]
    return [] if _same(field, asked, found) else [Drift(path, asked, found)]


def _same(field: str, asked: Any, found: Any) -> bool:
    one, other = normal(field, asked), normal(field, found)
    if one == other:
        return True
    if isinstance(one, bool) or isinstance(other, bool):
        truth = {"1": True, "0": False, "true": True, "false": False, None: False}
        return truth.get(str(one).lower() if one is not None else None) == truth.get(
            str(other).lower() if other is not None else None
        )
    try:
        return Decimal(str(one)) == Decimal(str(other))
    except InvalidOperation:
        return False
