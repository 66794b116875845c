"""Versions of plans: archived versions share their id, and the warehouse holds one row per id."""

from collections.abc import Iterable
from typing import Any

from invoiced_pipeline.invoiced.http.client import Params


def mark_variant(records: Iterable[Any], variant: Params) -> None:
    """Sets what the list's parameters say of its records (`archived`) if a record does not."""
    for name, value in variant:
        for record in records:
            if getattr(record, name, None) is None:
                setattr(record, name, value == "1")


def one_per_id(records: Iterable[Any]) -> list[Any]:
    """Returns one version per id: the live one, else the one with the highest number.

    At most one version is not archived (observed); `internal_id` grows with every version.
    """
    chosen: dict[Any, Any] = {}
    for record in records:
        known = chosen.get(record.id)
        if known is None or _rank(record) > _rank(known):
            chosen[record.id] = record
    return list(chosen.values())


def _rank(record: Any) -> tuple[bool, int, int]:
    return not record.archived, record.internal_id or 0, record.updated_at or 0
