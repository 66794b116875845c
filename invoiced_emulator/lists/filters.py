"""Turns `filter`, `advanced_filter`, `metadata` and time windows into SQL conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from invoiced_emulator.lists.filter_values import OPERATORS, Operand, compare
from invoiced_emulator.protocol import query
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.conditions import (
    METADATA_KEY,
    Conditions,
    column,
    metadata_column,
)
from invoiced_emulator.records.kinds import ObjectKind
from invoiced_emulator.records.row_counts import UPDATED_AFTER, UPDATED_BEFORE


def add_filters(
    conditions: Conditions, kind: ObjectKind, values: Mapping[str, Any], zone: ZoneInfo
) -> None:
    """Adds `filter[...]`, `advanced_filter` and `metadata[...]` of a list request.

    Raises:
        ApiError: 400 with Invoiced's text for a filter that it refuses.
    """
    filters = _Filters(conditions, kind, zone)
    for name, value in _pairs(values.get("filter")):
        if name not in kind.fields:
            raise refused(f"Invalid filter parameter: {name}")
        if not isinstance(value, str):
            raise refused(f"Invalid value for `{name}` filter parameter")
        filters.add_field(name, "=", value)
    advanced = values.get("advanced_filter")
    if isinstance(advanced, str) and advanced:
        for condition in _decoded(advanced):
            filters.add_advanced(condition)
    if kind.metadata:
        _add_metadata(conditions, kind, values.get("metadata"))


def add_windows(
    conditions: Conditions, kind: ObjectKind, values: Mapping[str, Any], *, everywhere: bool
) -> None:
    """Adds `updated_after/before` (exclusive) and `start_date/end_date` (inclusive).

    Args:
        conditions: The list's conditions.
        kind: What is listed.
        values: The query parameters.
        everywhere: Applies the updated window even to lists where Invoiced ignores it.
    """
    if kind.honours_updated or (everywhere and kind.versioned):
        for name, term in (("updated_after", UPDATED_AFTER), ("updated_before", UPDATED_BEFORE)):
            bound = query.integer(values.get(name))
            if bound is not None and bound > 0:
                conditions.add(term, bound)
    if not kind.dated and kind.collection != "events":
        return
    dated = "r.date"
    if kind.collection == "invoices" and values.get("date_column") == "due_date":
        dated = column(kind, "due_date")
    for name, operator in (("start_date", ">="), ("end_date", "<=")):
        bound = query.integer(values.get(name))
        if bound is not None and bound > 0:
            conditions.add(f"{dated} {operator} ?", bound)


def _pairs(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list):
        return [(str(index), item) for index, item in enumerate(value)]
    return []


def _add_metadata(conditions: Conditions, kind: ObjectKind, value: Any) -> None:
    for key, wanted in _pairs(value):
        if not METADATA_KEY.fullmatch(key) or not isinstance(wanted, str):
            if kind.query_builder:
                continue
            raise refused(f"Invalid filter parameter: {key}")
        conditions.add(f"{metadata_column(kind, key)} = ? COLLATE NOCASE", wanted)


def _decoded(text: str) -> list[Any]:
    try:
        decoded = msgspec.json.decode(text)
    except msgspec.DecodeError as err:
        raise refused("Invalid advanced filter: Syntax error") from err
    if not isinstance(decoded, list):
        raise refused(f"Invalid advanced filter: {text}")
    return decoded


@dataclass(frozen=True, slots=True)
class _Filters:
    """Adds filters on the fields of a kind of record."""

    conditions: Conditions
    kind: ObjectKind
    zone: ZoneInfo

    def add_advanced(self, condition: Any) -> None:
        if not isinstance(condition, dict) or not condition.get("field"):
            raise refused("Missing field in advanced filter condition")
        name = str(condition["field"])
        prefix, _, key = name.partition(".")
        is_metadata = prefix == "metadata" and self.kind.metadata and METADATA_KEY.fullmatch(key)
        if not is_metadata and name not in self.kind.fields:
            raise refused(f"Invalid field used in advanced filter: {name}")
        if not condition.get("operator"):
            raise refused("Missing operator in advanced filter condition")
        operator = str(condition["operator"])
        if operator not in OPERATORS:
            raise refused(f"Invalid operator in advanced filter condition: {operator}")
        value = condition.get("value")
        if is_metadata:
            text = Operand(metadata_column(self.kind, key), "text", self.zone)
            compare(self.conditions, text, operator, value)
        else:
            self.add_field(name, operator, value)

    def add_field(self, name: str, operator: str, value: object) -> None:
        field = Operand(column(self.kind, name), self.kind.fields[name], self.zone)
        try:
            compare(self.conditions, field, operator, value)
        except ValueError as err:
            raise refused(f"Invalid value for `{name}` filter parameter: {value}") from err
