"""Numbers that are unique in the account: who holds one, and whether a record is a row's own."""

from collections.abc import Mapping, Sequence
from typing import Any

from invoiced_pipeline.catalog.operations import MARKER, Operation
from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.validation.diff import changes


def normal_number(value: Any) -> str | None:
    """A number as the API compares it: trimmed, in any case; None where there is none.

    The API compares by its database's collation (observed), which ignores case.
    """
    if value is None or isinstance(value, bool | list | dict):
        return None
    return str(value).strip().casefold() or None


def number_of(operation: Operation, body: Mapping[str, Any]) -> str | None:
    """The number that a new record of an operation is to have; None where the API gives one."""
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
    """Whether a record of the replica is the one that a row makes: by marker, or by its content.

    Args:
        operation: What makes it.
        body: All that the row wants.
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
    """Says that a number is another record's."""
    key = operation.natural_key
    name = key.number if key and key.number else "number"
    identity = holders[0].get("id")
    updates = f"update_{operation.singular.replace(' ', '_')}"
    advice = f"Use {updates} to change it" if updates in _UPDATES else "Change it in Invoiced"
    return Problem(
        f"{name}: {operation.singular} {str(body.get(name)).strip()} exists already in Invoiced "
        f"(id {identity}). {advice}, or give the row another number; if it was deleted there, sync "
        "first",
        name,
    )


def doubled_number(operation: Operation, body: Mapping[str, Any], record_key: str) -> Problem:
    """Says that another row of the source has the number."""
    key = operation.natural_key
    name = key.number if key and key.number else "number"
    return Problem(
        f"{name}: record key {record_key!r} has {str(body.get(name)).strip()}, too, and a "
        f"{operation.singular}'s {name} is unique in Invoiced. Give one of the rows another",
        name,
    )


_UPDATES = frozenset({"update_customer", "update_invoice"})
