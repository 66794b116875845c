"""Describes a kind of record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FieldType = Literal["number", "boolean", "text", "date", "stamp", "negated", "json"]
"""How a filter compares a field: `date` is an integer of epoch seconds, `stamp` a timestamp of the
database (created_at, updated_at), and `negated` a number stored with the opposite sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectKind:
    """A kind of record: how it is named, listed, filtered and shown."""

    collection: str
    """Name of the collection, which is also the path of its list."""
    object: str | None
    """Value of the record's `object` field; None when records carry none."""
    title: str
    """Name in error messages, e.g. `Credit Note`."""
    event: str | None = None
    """First part of its event types; None when changes write no events."""
    hidden: frozenset[str] = frozenset()
    """Fields that a response shows only when `include` names them."""
    fields: Mapping[str, FieldType] = field(default_factory=dict)
    """Columns for filters and, with the query builder, for sorting."""
    listed: bool = True
    """Whether GET of its collection lists it. Others are listed below a record, or not at all."""
    retrieved: bool = True
    """Whether a single record has a path of its own."""
    query_builder: bool = False
    """Whether lists ignore unknown sort columns and break ties by id."""
    strict: bool = False
    """Whether unknown query parameters are refused."""
    honours_updated: bool = False
    """Whether `updated_after` and `updated_before` have an effect."""
    dated: bool = False
    """Whether `start_date` and `end_date` have an effect."""
    metadata: bool = False
    """Whether `metadata[key]=value` filters."""
    versioned: bool = False
    """Whether the key is `internal_id`: deleting archives, and the `id` may be used again."""
    descending: bool = False
    """Whether the newest id comes first by default."""
    feature: str | None = None
    """Feature that the account needs; without it its routes return 400."""
    relations: Mapping[str, str] = field(default_factory=dict)
    """Fields with the id of another record, and the collection of that record."""

    def visible(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the fields of a record that responses show by default, in order of name."""
        return {name: record[name] for name in sorted(record) if name not in self.hidden}


def fields(
    *, number: str = "", boolean: str = "", text: str = "", date: str = "", stamp: bool = True
) -> dict[str, FieldType]:
    """Returns the types of columns, from one text of names per type."""
    types: dict[str, FieldType] = {}
    types |= dict.fromkeys(number.split(), "number")
    types |= dict.fromkeys(boolean.split(), "boolean")
    types |= dict.fromkeys(text.split(), "text")
    types |= dict.fromkeys(date.split(), "date")
    if stamp:
        types |= {"created_at": "stamp", "updated_at": "stamp"}
    return types


def names(text: str) -> frozenset[str]:
    """Returns the names in a text."""
    return frozenset(text.split())
