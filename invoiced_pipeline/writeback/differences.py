"""What an update would change, field by field: the row beside the replica's record."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from invoiced_pipeline.catalog.operations import MARKER, Field, Operation
from invoiced_pipeline.invoiced.bodies import encode_body
from invoiced_pipeline.writeback.plan import Change
from invoiced_pipeline.writeback.stored_values import stored
from invoiced_pipeline.writeback.values import as_decimal, plain

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_RATES = {"discounts": "coupon", "taxes": "tax_rate"}
_STRUCTURED = frozenset({"metadata", "object", "array", "any"})


def wanted_body(
    operation: Operation,
    body: Mapping[str, Any],
    record: Mapping[str, Any] | None,
    *,
    merges_metadata: bool,
) -> dict[str, Any]:
    """What the record should hold afterwards: the API replaces metadata as a whole.

    Single keys that a row maps are put among those that the record has; of a whole object only our
    own marker is kept.
    """
    wanted = {
        name: value
        for name, value in body.items()
        if not ((field := operation.field(name)) and field.creation_only)
    }
    metadata = operation.field("metadata")
    before = _shown(metadata, record.get("metadata")) if record and metadata else None
    if isinstance(before, Mapping) and isinstance(wanted.get("metadata"), Mapping):
        kept = before if merges_metadata else {k: v for k, v in before.items() if k == MARKER}
        wanted["metadata"] = {**kept, **wanted["metadata"]}
    return wanted


def changes(
    operation: Operation, wanted: Mapping[str, Any], record: Mapping[str, Any]
) -> tuple[Change, ...]:
    """The fields that differ; what the replica does not hold counts as different.

    Args:
        operation: Whose fields they are.
        wanted: What the row wants.
        record: The replica's record.
    """
    found = []
    for name, after in wanted.items():
        field = operation.field(name) or Field(name=name, type="any", description="")
        before = _shown(field, record.get(name))
        if name not in record or not is_same(field, before, after):
            found.append(Change(name, before, after))
    return tuple(found)


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
    if field.type in _STRUCTURED and isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return _DECODER.decode(value)
        except msgspec.DecodeError:
            return value
    return plain(value) if isinstance(value, datetime | Decimal | float) else value
