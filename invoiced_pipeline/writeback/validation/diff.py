"""Compares a row with a record field by field: the changes that an update makes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from invoiced_pipeline.catalog.operations import MARKER, Field, Operation
from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.writeback.source.parts import RATES as _RATES
from invoiced_pipeline.writeback.source.parts import Path, of_field, opened, picked, value_at
from invoiced_pipeline.writeback.source.values import as_decimal, plain
from invoiced_pipeline.writeback.validation.stored_values import metadata_text, stored

_STRUCTURED = frozenset({"metadata", "object", "array", "any"})


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an update: its value in the replica and its value in the row."""

    field: str
    before: Any
    after: Any


def wanted_body(operation: Operation, body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a body that can be changed after the record is created."""
    return {
        name: value
        for name, value in body.items()
        if not ((field := operation.field(name)) and field.creation_only)
    }


def changes(
    operation: Operation,
    wanted: Mapping[str, Any],
    record: Mapping[str, Any],
    parts: Iterable[Path] = (),
) -> tuple[Change, ...]:
    """Returns the fields that differ; a field that the record lacks counts as different.

    Args:
        operation: The operation that declares the fields.
        wanted: The row's fields.
        record: The record.
        parts: Paths of parts that the row sets. The rest of their fields is not compared.
    """
    parts = tuple(parts)
    found = []
    for name, after in wanted.items():
        field = operation.field(name) or Field(name=name, type="any", description="")
        before = _shown(field, record.get(name))
        paths = of_field(parts, name)
        if paths:
            same = all(_is_same_part(operation, path, record, wanted) for path in paths)
            before = picked(before, [path[1:] for path in paths])
        else:
            before = _without_marker(field, before, after)
            same = is_same(field, before, after)
        if name not in record or not same:
            found.append(Change(name, before, after))
    return tuple(found)


def _without_marker(field: Field, before: Any, after: Any) -> Any:
    """A record's metadata without our marker, which every update keeps."""
    if field.type != "metadata" or not isinstance(before, Mapping):
        return before
    asked = after if isinstance(after, Mapping) else {}
    kept = {name: value for name, value in before.items() if name != MARKER or name in asked}
    return kept if kept or after else None


def _is_same_part(
    operation: Operation, path: Path, record: Mapping[str, Any], wanted: Mapping[str, Any]
) -> bool:
    """Whether a record has the row's value at one path."""
    fields: Iterable[Field] = operation.fields
    field = Field(name=path[0], type="any", description="")
    for at, step in enumerate(path):
        if step.isdecimal() and at:
            continue
        field = next(
            (each for each in fields if each.name == step),
            Field(name=step, type="any", description=""),
        )
        if field.type == "metadata" and at + 1 < len(path):
            before = value_at(record, path[: at + 1]), path[at + 1 :]
            after = value_at(wanted, path[: at + 1]), path[at + 1 :]
            return _metadata_at(*before) == _metadata_at(*after)
        fields = field.elements
    before, after = value_at(record, path), value_at(wanted, path)
    if path[-1].isdecimal() and field.name in _RATES:
        return _rate(_RATES[field.name], before) == _rate(_RATES[field.name], after)
    return is_same(field, before, after)


def _metadata_at(metadata: Any, path: Path) -> str | None:
    value = value_at(metadata, path)
    return None if value is None else metadata_text(value)


def is_same(field: Field, before: Any, after: Any) -> bool:
    """Whether two values of a field are the same once the API has stored them."""
    before = _shown(field, before)
    return _stored(field, before) == _stored(field, after) or _holds(field, before, after)


def _holds(field: Field, before: Any, after: Any) -> bool:
    """Whether objects in the record have all fields of the row's objects, in the same order."""
    if field.name in _RATES:
        kind = _RATES[field.name]
        return isinstance(after, list) and [_rate(kind, each) for each in before or ()] == [
            _rate(kind, each) for each in after
        ]
    if not field.elements:
        return False
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(
            _is_part(field.elements, one, other) for one, other in zip(before, after, strict=True)
        )
    return _is_part(field.elements, before, after)


def _is_part(fields: Iterable[Field], before: Any, after: Any) -> bool:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return False
    by_name = {field.name: field for field in fields}
    return all(
        is_same(by_name.get(name) or Field(name=name, type="any", description=""),
              before.get(name), value)
        for name, value in after.items()
    )  # fmt: skip


def _rate(kind: str, value: Any) -> Any:
    """The identity of a discount or tax: the id of its definition, or its amount."""
    if not isinstance(value, dict):
        return str(value)
    definition = value.get(kind) or (None if "amount" in value else value.get("id"))
    if isinstance(definition, dict):
        definition = definition.get("id")
    return definition if definition else as_decimal(value.get("amount"))


def _stored(field: Field, value: Any) -> bytes:
    """A value as the API stores it, as bytes that can be compared."""
    return encode_body(stored(field.name, value, field.type))


def _shown(field: Field, value: Any) -> Any:
    """A value of the replica as a value of JSON."""
    if field.type in _STRUCTURED:
        value = opened(value)
    return plain(value) if isinstance(value, datetime | Decimal | float) else value
