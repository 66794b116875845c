"""What an update would change, field by field: the row beside the replica's record."""

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
    """One field of an update: as the replica has it, and as the row wants it."""

    field: str
    before: Any
    after: Any


def wanted_body(operation: Operation, body: Mapping[str, Any]) -> dict[str, Any]:
    """What the row wants of a record that is there: fields that can still be changed."""
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
    """The fields that differ; what the replica does not hold counts as different.

    Args:
        operation: Whose fields they are.
        wanted: What the row wants.
        record: The replica's record.
        parts: Paths of single parts that the row wants; what is beside them is not compared.
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
    """Metadata of a record without our marker, which is kept whatever the row says."""
    if field.type != "metadata" or not isinstance(before, Mapping):
        return before
    asked = after if isinstance(after, Mapping) else {}
    kept = {name: value for name, value in before.items() if name != MARKER or name in asked}
    return kept if kept or after else None


def _is_same_part(
    operation: Operation, path: Path, record: Mapping[str, Any], wanted: Mapping[str, Any]
) -> bool:
    """Whether a record holds one part as the row wants it."""
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
    """Whether a value of the replica is what the row wants, as the API stores it."""
    before = _shown(field, before)
    return _stored(field, before) == _stored(field, after) or _holds(field, before, after)


def _holds(field: Field, before: Any, after: Any) -> bool:
    """Whether objects in the record have all that the row says of them, in the same order."""
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
    """A discount or tax by what tells it from others: the coupon's id, or its amount."""
    if not isinstance(value, dict):
        return str(value)
    definition = value.get(kind) or (None if "amount" in value else value.get("id"))
    if isinstance(definition, dict):
        definition = definition.get("id")
    return definition if definition else as_decimal(value.get("amount"))


def _stored(field: Field, value: Any) -> bytes:
    """A value as the API keeps it, as text that can be compared."""
    return encode_body(stored(field.name, value, field.type))


def _shown(field: Field, value: Any) -> Any:
    """A value of the replica as one of JSON."""
    if field.type in _STRUCTURED:
        value = opened(value)
    return plain(value) if isinstance(value, datetime | Decimal | float) else value
