"""Turns `filter`, `advanced_filter`, `metadata` and time windows into SQL conditions."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from invoiced_emulator.lists.filter_values import OPERATORS, compare
from invoiced_emulator.protocol import query
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.conditions import (
    METADATA_KEY,
    Conditions,
    column,
    metadata_column,
)
from invoiced_emulator.records.kinds import FieldType, ObjectKind
from invoiced_emulator.records.row_counts import UPDATED_AFTER, UPDATED_BEFORE


def add_filters(
    conditions: Conditions, kind: ObjectKind, values: Mapping[str, Any], zone: ZoneInfo
) -> None:
    """Adds `filter[...]`, `advanced_filter` and `metadata[...]` of a list request.

    Raises:
        ApiError: 400 with Invoiced's text for a filter that it refuses.
    """
    for name, value in _pairs(values.get("filter")):
        if name not in kind.fields:
            raise refused(f"Invalid filter parameter: {name}")
        if not isinstance(value, str):
            raise refused(f"Invalid value for `{name}` filter parameter")
        _compare(conditions, kind, name, "=", value, zone)
    advanced = values.get("advanced_filter")
    if isinstance(advanced, str) and advanced:
        for condition in _decoded(advanced):
            _add_advanced(conditions, kind, condition, zone)
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


def _add_advanced(conditions: Conditions, kind: ObjectKind, condition: Any, zone: ZoneInfo) -> None:
    if not isinstance(condition, dict) or not condition.get("field"):
        raise refused("Missing field in advanced filter condition")
    name = str(condition["field"])
    prefix, _, key = name.partition(".")
    is_metadata = prefix == "metadata" and kind.metadata and METADATA_KEY.fullmatch(key)
    if not is_metadata and name not in kind.fields:
        raise refused(f"Invalid field used in advanced filter: {name}")
    if not condition.get("operator"):
        raise refused("Missing operator in advanced filter condition")
    operator = str(condition["operator"])
    if operator not in OPERATORS:
        raise refused(f"Invalid operator in advanced filter condition: {operator}")
    value = condition.get("value")
    if is_metadata:
        compare(conditions, metadata_column(kind, key), operator, value, type="text", zone=zone)
    else:
        _compare(conditions, kind, name, operator, value, zone)


def _compare(  # noqa: PLR0913, PLR0917 - a comparison, its column and zone
    conditions: Conditions,
    kind: ObjectKind,
    name: str,
    operator: str,
    value: object,
    zone: ZoneInfo,
) -> None:
    type_: FieldType = kind.fields[name]
    try:
        compare(conditions, column(kind, name), operator, value, type=type_, zone=zone)
    except ValueError as err:
        raise refused(f"Invalid value for `{name}` filter parameter: {value}") from err
