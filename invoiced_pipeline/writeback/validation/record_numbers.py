"""Numbers that are unique in the account: which record has one, and whether a row created it."""

from collections.abc import Mapping, Sequence
from typing import Any

from invoiced_pipeline.catalog.operations import MARKER, Operation
from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.validation.diff import changes


def normal_number(value: Any) -> str | None:
    """A number as the API compares it: trimmed, case ignored; None if there is no number.

    The API compares by its database's collation, which ignores case (observed).
    """
    if value is None or isinstance(value, bool | list | dict):
        return None
    return str(value).strip().casefold() or None


def number_of(operation: Operation, body: Mapping[str, Any]) -> str | None:
    """The number that a body gives a new record; None if the API assigns one."""
    key = operation.natural_key
    if operation.kind != "create" or key is None or key.number is None:
        return None
    return normal_number(body.get(key.number))


def is_own(
    operation: Operation,
    body: Mapping[str, Any],
    record: Mapping[str, Any],
    mark: str,
) -> bool:
    """Whether a row has created a record of the replica, by its marker or else by its content.

    Args:
        operation: The operation that creates it.
        body: All fields of the row.
        record: The record.
        mark: The row's marker.
    """
    if MARKER in str(record.get("metadata") or ""):
        return mark in str(record["metadata"])
    key = operation.natural_key
    name = key.number if key else None
    shown = {field: value for field, value in body.items() if field in record and field != name}
    return bool(shown) and not changes(operation, shown, record)


def held_number(
    operation: Operation, body: Mapping[str, Any], holders: Sequence[Mapping[str, Any]]
) -> Problem:
    """The problem that another record has the number."""
    key = operation.natural_key
    name = key.number if key and key.number else "number"
    identity = holders[0].get("id")
    updates = f"update_{operation.singular.replace(' ', '_')}"
    advice = f"Use {updates} to change it" if updates in _UPDATES else "Change it in Invoiced"
    return Problem(
        f"{name}: {operation.singular} {str(body.get(name)).strip()} already exists in Invoiced "
        f"(id {identity}). {advice}, or give the row another number; if it was deleted there, sync "
        "first",
        name,
    )


def doubled_number(operation: Operation, body: Mapping[str, Any], record_key: str) -> Problem:
    """The problem that another row of the source has the number."""
    key = operation.natural_key
    name = key.number if key and key.number else "number"
    return Problem(
        f"{name}: record key {record_key!r} also has {str(body.get(name)).strip()}, and a "
        f"{operation.singular}'s {name} is unique in Invoiced. Change one of the rows",
        name,
    )


_UPDATES = frozenset({"update_customer", "update_invoice"})
