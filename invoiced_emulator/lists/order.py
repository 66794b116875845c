"""Turns `sort` into ORDER BY."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from invoiced_emulator.protocol.errors import ApiError
from invoiced_emulator.records.conditions import column
from invoiced_emulator.records.kinds import ObjectKind

_DIRECTIONS = frozenset({"asc", "desc"})


@dataclass(frozen=True, slots=True)
class Order:
    """The ORDER BY of a list."""

    sql: str
    by_key: bool
    """Whether the order is the primary key alone: then the list is paged by cursor."""
    descending: bool = False


class UnknownColumnError(ApiError):
    """A plain list is sorted by a column that does not exist."""

    def __init__(self) -> None:
        super().__init__(500, "", type="api_error")


def requested_order(kind: ObjectKind, values: Mapping[str, Any]) -> Order:
    """Returns the order that `sort` asks for.

    A term without direction is ignored. Lists of the query builder also ignore unknown columns
    and break ties by id.

    Raises:
        UnknownColumnError: A plain list names a column that does not exist (status 500).
    """
    sort = values.get("sort")
    terms = _terms(sort if isinstance(sort, str) else "")
    if kind.query_builder:
        terms = [term for term in terms if _sortable(kind, term[0])]
        text = ",".join(f"{name} {direction}" for name, direction in terms)
        if "id asc" not in text.lower():
            terms.append(("id", "asc"))
    elif any(not _sortable(kind, name) for name, _ in terms):
        raise UnknownColumnError
    primary = "internal_id" if kind.versioned else "id"
    if not terms:
        terms = [(primary, "desc" if kind.descending else "asc")]
    by_key = len(terms) == 1 and terms[0][0] == primary
    sql = ", ".join(f"{_expression(kind, name)} {direction}" for name, direction in terms)
    return Order(sql, by_key, descending=by_key and terms[0][1] == "desc")


def _terms(sort: str) -> list[tuple[str, str]]:
    terms = []
    for term in sort.split(","):
        words = term.split()
        if len(words) == 2 and words[1].lower() in _DIRECTIONS:
            terms.append((words[0], words[1].lower()))
    return terms


def _sortable(kind: ObjectKind, name: str) -> bool:
    return name == "id" or name in kind.fields


def _expression(kind: ObjectKind, name: str) -> str:
    if name == "id" and not kind.versioned:
        return "r.key"
    expression = column(kind, name)
    return f"{expression} COLLATE NOCASE" if kind.fields[name] == "text" else expression
