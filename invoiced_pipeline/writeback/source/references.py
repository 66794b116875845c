"""References to records that other write-backs create, resolved with the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from invoiced_pipeline.settings import ReferenceSettings
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.source.json_limits import json_problem
from invoiced_pipeline.writeback.source.record_keys import key_text, ledger_key


@dataclass(frozen=True, slots=True)
class Parent:
    """A record of another write-back that a row refers to."""

    writeback: str
    record_key: str
    field: str

    def __str__(self) -> str:
        """Its text in a body until the record exists, such as `@new_customers[C-1].id`."""
        return f"@{self.writeback}[{self.record_key}].{self.field}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencedWriteback:
    """Another write-back that rows refer to.

    Attributes:
        key: Its key column.
        known: Its rows in the ledger, by record key.
        records: Its records as the API last returned them, by record key, for references to other
            fields than `id`.
    """

    key: str
    known: Mapping[str, Entry]
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def resolve(
    reference: ReferenceSettings,
    cells: Mapping[str, Any],
    referenced: Mapping[str, ReferencedWriteback],
    waits_for: dict[Parent, str],
) -> Any:
    """The value of a reference; the parent's text while its record does not exist.

    Args:
        reference: As the mapping has it.
        cells: The row's values, by column.
        referenced: The write-backs that the mapping refers to, by name.
        waits_for: Receives a parent that does not exist, with the reason.
    """
    writeback = referenced[reference.writeback]
    value = cells.get(reference.column or writeback.key)
    if value is None or json_problem(value, reference.writeback) is not None:
        return value
    key = ledger_key(key_text(value), writeback.known)
    if not key:
        return None
    parent = Parent(reference.writeback, key, reference.field)
    known = writeback.known.get(key)
    if known is not None and known.invoiced_id is not None and known.succeeded_hash is not None:
        found = _field_of(writeback, known, reference.field)
        if found is not None:
            return found
    waits_for[parent] = _reason(parent, known)
    return str(parent)


def _field_of(writeback: ReferencedWriteback, known: Entry, name: str) -> Any:
    if name != "id":
        return writeback.records.get(known.record_key, {}).get(name)
    text = known.invoiced_id or ""
    return int(text) if text.isdecimal() else text


def _reason(parent: Parent, known: Entry | None) -> str:
    who = f"{parent.writeback} {parent.record_key!r}"
    if known is None:
        return f"{who} has not been sent yet"
    if known.succeeded_hash is not None:
        return f"the record of {who} shows no {parent.field}"
    return f"{who} is {known.state}"
