"""The shape of what is known of a kind of record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FieldType = Literal["number", "boolean", "text", "date", "stamp", "negated", "json"]
"""How a filter compares a field: `date` holds epoch seconds as an integer, `stamp` is a database
timestamp (created_at, updated_at), `negated` is stored with the opposite sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectKind:
    """One kind of record: how it is named, listed, filtered and shown."""

    collection: str
    """Name of the collection, which is also the path of its list."""
    object: str | None
    """Value of the record's `object` field; None when records carry none."""
    title: str
    """Name in error messages, e.g. `Credit Note`."""
    event: str | None = None
    """First part of its event types; None when changes write no events."""
    hidden: frozenset[str] = frozenset()
    """Fields that a response holds only when `include` names them."""
    fields: Mapping[str, FieldType] = field(default_factory=dict)
    """Columns that may be filtered and, with the query builder, sorted by."""
    listed: bool = True
    """GET of its collection lists it; others are listed below another record, or not at all."""
    retrieved: bool = True
    """GET of a single record by its own path."""
    query_builder: bool = False
    """Listed through the query builder: unknown sort columns are dropped, ties broken by id."""
    strict: bool = False
    """Unknown query parameters are refused."""
    honours_updated: bool = False
    """`updated_after` and `updated_before` have an effect."""
    dated: bool = False
    """`start_date` and `end_date` have an effect."""
    metadata: bool = False
    """`metadata[key]=value` filters."""
    versioned: bool = False
    """Keyed by `internal_id`; deleting archives, and a string `id` may then be used again."""
    descending: bool = False
    """Newest id first unless a sort is response."""
    feature: str | None = None
    """Account feature without which its routes answer 400."""
    relations: Mapping[str, str] = field(default_factory=dict)
    """Fields that hold the id of another record, with that record's collection."""

    def visible(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the fields of a record that responses show by default, in order of name."""
        return {name: record[name] for name in sorted(record) if name not in self.hidden}


def fields(
    *, number: str = "", boolean: str = "", text: str = "", date: str = "", stamp: bool = True
) -> dict[str, FieldType]:
    """The types of columns whose names are given in one text per type."""
    types: dict[str, FieldType] = {}
    types |= dict.fromkeys(number.split(), "number")
    types |= dict.fromkeys(boolean.split(), "boolean")
    types |= dict.fromkeys(text.split(), "text")
    types |= dict.fromkeys(date.split(), "date")
    if stamp:
        types |= {"created_at": "stamp", "updated_at": "stamp"}
    return types


def names(text: str) -> frozenset[str]:
    """The names in a text."""
    return frozenset(text.split())
