"""Renders stored records, with the fields of `include`, `exclude` and `expand`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from invoiced_emulator.protocol import query
from invoiced_emulator.records.kinds import KINDS, ObjectKind
from invoiced_emulator.records.store import Store

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_ENCODER = msgspec.json.Encoder()
_NULL = msgspec.Raw(b"null")
_RATES = ("discounts", "taxes", "shipping")
_IN_ELEMENTS = {
    "items": {"catalog_item": "items", "plan": "plans"},
    "addons": {"catalog_item": "items", "plan": "plans"},
}

Fields = dict[str, msgspec.Raw]


@dataclass(frozen=True, slots=True)
class FieldSelection:
    """The fields that a request asks for."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()

    @property
    def as_stored(self) -> bool:
        """Whether the stored text can be served unchanged."""
        return not (self.include or self.exclude or self.expand)


def requested_fields(values: Mapping[str, Any]) -> FieldSelection:
    """Returns the fields that `include`, `exclude` and `expand` of a request ask for."""
    exclude = query.names(values.get("exclude"))
    if "rates" in exclude:
        exclude += _RATES
    include, expand = query.names(values.get("include")), query.names(values.get("expand"))
    return FieldSelection(include, exclude, expand)


def render(
    store: Store,
    kind: ObjectKind,
    rows: Iterable[tuple[bytes, bytes | None]],
    shape: FieldSelection,
) -> list[bytes]:
    """Returns the JSON of each record.

    Args:
        store: Gives access to expanded relations.
        kind: The kind of the records.
        rows: The stored texts (shown, hidden) of each record.
        shape: The fields that the request asks for.
    """
    if shape.as_stored:
        return [body for body, _ in rows]
    related: dict[tuple[str, object], bytes | None] = {}
    return [_reshaped(store, kind, row, shape, related) for row in rows]


def _reshaped(
    store: Store,
    kind: ObjectKind,
    row: tuple[bytes, bytes | None],
    shape: FieldSelection,
    related: dict[tuple[str, object], bytes | None],
) -> bytes:
    fields = _FIELDS.decode(row[0])
    if shape.include:
        hidden = _FIELDS.decode(row[1]) if row[1] else {}
        for name in shape.include:
            if name == "customerName":
                fields[name] = _customer_name(store, fields, related)
            elif name not in fields:
                fields[name] = hidden.get(name, _NULL)
        fields = {name: fields[name] for name in sorted(fields)}
    for name in shape.exclude:
        fields.pop(name, None)
    for path in shape.expand:
        _expand(store, kind, fields, path.split("."), related)
    return _ENCODER.encode(fields)


def _expand(
    store: Store,
    kind: ObjectKind,
    fields: Fields,
    path: list[str],
    related: dict[tuple[str, object], bytes | None],
) -> None:
    name, rest = path[0], path[1:]
    if name not in fields:
        return
    if name in _IN_ELEMENTS:
        if rest and rest[0] in _IN_ELEMENTS[name]:
            elements = _ELEMENTS.decode(fields[name])
            for element in elements:
                _replace(store, _IN_ELEMENTS[name][rest[0]], element, rest, related)
            fields[name] = msgspec.Raw(_ENCODER.encode(elements))
    elif name in kind.relations:
        _replace(store, kind.relations[name], fields, path, related)


def _replace(
    store: Store,
    collection: str,
    fields: Fields,
    path: list[str],
    related: dict[tuple[str, object], bytes | None],
) -> None:
    """Replaces an id by the related object, if it exists."""
    name, rest = path[0], path[1:]
    if name not in fields:
        return
    body = _related(store, collection, msgspec.json.decode(fields[name]), related)
    if body is None:
        return
    if rest:
        inner = _FIELDS.decode(body)
        _expand(store, KINDS[collection], inner, rest, related)
        body = _ENCODER.encode(inner)
    fields[name] = msgspec.Raw(body)


def _related(
    store: Store,
    collection: str,
    record_id: object,
    related: dict[tuple[str, object], bytes | None],
) -> bytes | None:
    if not isinstance(record_id, int | str):
        return None
    if (collection, record_id) not in related:
        keys = store.keys(collection, record_id)
        found = store.texts(collection, keys[-1:])
        related[collection, record_id] = found[0][0] if found else None
    return related[collection, record_id]


def _customer_name(
    store: Store, fields: Fields, related: dict[tuple[str, object], bytes | None]
) -> msgspec.Raw:
    customer = msgspec.json.decode(fields.get("customer", _NULL))
    body = _related(store, "customers", customer, related)
    return _FIELDS.decode(body).get("name", _NULL) if body else _NULL
