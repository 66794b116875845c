"""Makes the plan of a write-back from its source, the ledger and the replica."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.warehouse.database import Database, Selection
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.plan.batches import batched
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.plan.row_planner import RowPlanner
from invoiced_pipeline.writeback.plan.send_decision import NO_RETRIES, Retries
from invoiced_pipeline.writeback.plan.unreadable_rows import readable_rows
from invoiced_pipeline.writeback.source.allowed_numbers import allowed_note, check_allowed_numbers
from invoiced_pipeline.writeback.source.mapping import MappedRow, map_rows
from invoiced_pipeline.writeback.source.operation import operation_of
from invoiced_pipeline.writeback.source.references import ReferencedWriteback
from invoiced_pipeline.writeback.source.source_reader import read_source
from invoiced_pipeline.writeback.validation.record_numbers import number_of
from invoiced_pipeline.writeback.validation.replica import (
    Numbers,
    Replica,
    read_replica,
    wanted_ids,
)

Ledgers = Mapping[str, Mapping[str, Entry]]
"""Ledger entries by write-back and record key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What to plan.

    Attributes:
        settings: The write-back.
        dataset: The dataset of its connection.
        ledgers: Ledger entries of it and of the write-backs that it refers to.
        records: Records of those write-backs, by name and record key, for references to other
            fields than `id`.
        parent_keys: The key columns of those write-backs, by name.
        retries: Unchanged rows that are sent again.
        folder: The base of relative file paths; the working directory by default.
    """

    settings: WritebackSettings
    dataset: str
    ledgers: Ledgers = field(default_factory=dict)
    records: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    parent_keys: Mapping[str, str] = field(default_factory=dict)
    retries: Retries = NO_RETRIES
    folder: Path | None = None


def make_plan(request: PlanRequest, database: Database) -> Plan:
    """Reads source and replica, and plans what a push would do. Nothing is sent.

    Each access to the warehouse is short, and none is open when this returns.

    Raises:
        ConfigurationError: The source cannot be read, or does not fit the settings.
        WarehouseError: The warehouse cannot be read.
    """
    selection = read_source(request.settings, database, request.dataset, request.folder)
    return plan_rows(request, selection, database)


def plan_rows(request: PlanRequest, selection: Selection, database: Database) -> Plan:
    """Plans rows that are already read, such as one row with edits."""
    settings = request.settings
    operation = operation_of(settings)
    check_allowed_numbers(settings, operation)
    referenced = {
        name: ReferencedWriteback(
            key=key,
            known=request.ledgers.get(name, {}),
            records=request.records.get(name, {}),
        )
        for name, key in request.parent_keys.items()
    }
    known = request.ledgers.get(settings.name, {})
    mapped, rows = readable_rows(
        selection, map_rows(settings, operation, selection, referenced, known), settings
    )
    replica = _replica(request, operation, mapped, known, database)
    planner = RowPlanner(
        settings,
        operation,
        known,
        replica,
        request.retries,
        dataset=request.dataset,
        owners={e.invoiced_id: key for key, e in known.items() if e.invoiced_id is not None},
    )
    # Rows that were already sent come first: they own a number that several rows have.
    for group in sorted(_by_key(mapped), key=lambda rows: not _was_sent(rows[0], known)):
        rows += planner.plan(group)
    rows.sort(key=lambda row: row.position)
    groups = {row.position: row.group for row in mapped}
    return Plan(
        settings=settings,
        operation=operation,
        rows=batched(settings, operation, rows, groups),
        notes=(
            *_skipped(settings, selection),
            *_notes(settings, operation, replica),
            *filter(None, [allowed_note(settings)]),
        ),
    )


def _replica(
    request: PlanRequest,
    operation: Operation,
    mapped: Sequence[MappedRow],
    known: Mapping[str, Entry],
    database: Database,
) -> Replica:
    wanted: defaultdict[str, set[int | str]] = defaultdict(set)
    for row in mapped:
        wanted_ids(operation.parameters, row.parameters, wanted)
        wanted_ids(operation.fields, row.body, wanted)
        entry = known.get(row.record_key)
        if operation.table is not None and entry is not None and entry.invoiced_id is not None:
            text = entry.invoiced_id
            wanted[operation.table].add(int(text) if text.isdecimal() else text)
    numbers = _new_numbers(request.settings, operation, mapped, known)
    if not wanted and numbers is None:
        return Replica()
    return read_replica(database, request.dataset, wanted, numbers)


def _new_numbers(
    settings: WritebackSettings,
    operation: Operation,
    mapped: Sequence[MappedRow],
    known: Mapping[str, Entry],
) -> Numbers | None:
    """Numbers of rows that have not created a record yet; None if none has to be looked up."""
    key = operation.natural_key
    if not settings.check_replica or key is None or not key.number or not operation.table:
        return None
    made = {name for name, entry in known.items() if entry.invoiced_id is not None}
    found = {number_of(operation, row.body) for row in mapped if row.record_key not in made}
    values = frozenset(number for number in found if number is not None)
    return Numbers(operation.table, key.number, values) if values else None


def _was_sent(row: MappedRow, known: Mapping[str, Entry]) -> bool:
    entry = known.get(row.record_key)
    return entry is not None and (
        entry.succeeded_hash is not None or entry.state in {"sent", "unknown"}
    )


def _by_key(mapped: Iterable[MappedRow]) -> list[list[MappedRow]]:
    """Groups rows by record key, in their order; a row without a key is its own group."""
    groups: dict[str | int, list[MappedRow]] = defaultdict(list)
    for row in mapped:
        groups[row.record_key or row.position].append(row)
    return list(groups.values())


def _skipped(settings: WritebackSettings, selection: Selection) -> tuple[str, ...]:
    count = selection.skipped
    verb = "was" if count == 1 else "were"
    what = counted(count, "blank row")
    return (f"{what} of {Path(settings.source).name} {verb} skipped.",) if count else ()


def _notes(settings: WritebackSettings, operation: Operation, replica: Replica) -> tuple[str, ...]:
    if not settings.check_replica:
        return ("The rows were not checked against the replica (check_replica = false).",)
    named = {
        each.refers_to
        for each in (*operation.parameters, *operation.fields)
        if each.refers_to is not None and (each.required or each in operation.parameters)
    }
    missing = sorted(named - replica.tables)
    if missing and operation.kind != "custom":
        return (f"Not checked, because they are not replicated: {', '.join(missing)}.",)
    return ()
