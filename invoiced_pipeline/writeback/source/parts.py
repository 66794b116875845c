"""Parts of a field that the API replaces as a whole, such as one key of `metadata`.

A mapping names them by paths: `metadata.crm` is `("metadata", "crm")`, `items.0.quantity` is
`("items", "0", "quantity")`. A push reads the record and puts the parts into its fields.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from invoiced_pipeline.catalog.operations import MARKER, Field, Operation
from invoiced_pipeline.exact_json import decode_exact
from invoiced_pipeline.plurals import counted

Path = tuple[str, ...]

RATES: Mapping[str, str] = {"discounts": "coupon", "taxes": "tax_rate"}
"""Fields that are set by an object's id and shown as the object, with the object's name."""
_STRUCTURES = frozenset({"metadata", "object", "array", "any"})


class MissingPlaceError(Exception):
    """The record has no place for a part: an element lies beyond the end of its list."""


def of_field(paths: Iterable[Path], name: str) -> tuple[Path, ...]:
    """The paths into one field, in the order of its elements."""
    found = [path for path in paths if path[0] == name]
    return tuple(sorted(found, key=lambda path: [(len(step), step) for step in path]))


def value_at(value: Any, path: Path) -> Any:
    """The value at a path inside an object; None if there is none."""
    for step in path:
        value = opened(value)
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def opened(value: Any) -> Any:
    """Decodes a text that is an object or array in JSON, as metadata keeps them."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return decode_exact(value)
        except msgspec.DecodeError:
            return value
    return value


def picked(value: Any, paths: Iterable[Path]) -> Any:
    """The value of a field reduced to some paths below it; None if it has none of them."""
    found: Any = None
    for path in paths:
        part = value_at(value, path)
        if part is not None:
            found = _placed(found, path, part, fills=True)
    return found


def merged(
    operation: Operation, asked: Mapping[str, Any], paths: Iterable[Path], record: Mapping[str, Any]
) -> dict[str, Any]:
    """Completes the fields of which a row sets parts, and keeps our own marker in metadata.

    Args:
        operation: The write-back's operation.
        asked: The body as the row asks for it.
        paths: The parts that the row sets.
        record: The record as the API has it now.

    Raises:
        MissingPlaceError: A part has no place in the record, or the API does not show its field.
    """
    paths = tuple(paths)
    body = dict(asked)
    for name in asked:
        parts = of_field(paths, name)
        if not parts:
            continue
        if name not in record:
            message = f"Invoiced does not show {name}, so a part of it cannot be changed"
            raise MissingPlaceError(message)
        field = operation.field(name) or Field(name=name, type="any", description="")
        value = writable(field, record[name])
        for path in parts:
            value = _placed(value, path[1:], value_at(asked, path), fills=False)
        body[name] = value
    if "metadata" in asked and not of_field(paths, "metadata"):
        body["metadata"] = _with_marker(asked["metadata"], record.get("metadata"))
    return body


def writable(field: Field, value: Any) -> Any:
    """A field's value as the API accepts it in an update: without computed fields.

    A line with its id keeps the fields that are left out (observed), so its rates stay.
    """
    if isinstance(value, list):
        return [writable(field, each) for each in value]
    if field.name in RATES:
        return _rate(RATES[field.name], value)
    if not field.elements or not isinstance(value, Mapping):
        return value
    has_id = value.get("id") is not None and any(each.name == "id" for each in field.elements)
    return {
        each.name: writable(each, value[each.name])
        for each in field.elements
        if value.get(each.name) is not None and not (has_id and each.type in _STRUCTURES)
    }


def _rate(kind: str, value: Any) -> Any:
    """A discount or tax as a request has it: the id of its definition, else its amount."""
    if not isinstance(value, Mapping):
        return value
    definition = value.get(kind) or (None if "amount" in value else value.get("id"))
    if isinstance(definition, Mapping):
        definition = definition.get("id")
    return definition if definition else {"amount": value.get("amount")}


def _with_marker(asked: Any, now: Any) -> Any:
    mark = now.get(MARKER) if isinstance(now, Mapping) else None
    if mark is None or not (asked is None or isinstance(asked, Mapping)):
        return asked
    return {**(asked or {}), MARKER: mark}


def _placed(value: Any, path: Path, part: Any, *, fills: bool) -> Any:
    """Returns a copy of a value with a part at a path.

    Args:
        value: An object, a list, or nothing yet.
        path: Where the part goes.
        part: What goes there.
        fills: Whether empty elements may be added to a list that is too short.
    """
    if not path:
        return part
    step, value = path[0], opened(value)
    if isinstance(value, list) or (not isinstance(value, Mapping) and step.isdecimal()):
        elements = list(value) if isinstance(value, list) else []
        if not step.isdecimal() or (int(step) > len(elements) and not fills):
            there = counted(len(elements), "element")
            message = f"the record has {there}, and the row sets number {step}"
            raise MissingPlaceError(message)
        elements += [{} for _ in range(int(step) + 1 - len(elements))]
        elements[int(step)] = _placed(elements[int(step)], path[1:], part, fills=fills)
        return elements
    fields = dict(value) if isinstance(value, Mapping) else {}
    return fields | {step: _placed(fields.get(step), path[1:], part, fills=fills)}
