"""Records that the replica has and the ledger does not know, found by marker or number.

A warehouse that was restored from a backup has a ledger without the latest requests. The next sync
brings their records back, with the markers in their metadata: the ledger adopts them, so that no
second record is created. It also adopts a record that has the row's number and shows what the row
wants.
"""

from collections.abc import Mapping, Sequence

import msgspec

from invoiced_pipeline.catalog.operations import MARKER
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.ledger.keys import marker
from invoiced_pipeline.writeback.plan.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.plan.request import needs_marker
from invoiced_pipeline.writeback.push.context import PushContext
from invoiced_pipeline.writeback.push.ledger_session import LedgerSession
from invoiced_pipeline.writeback.push.transitions import success
from invoiced_pipeline.writeback.validation.record_numbers import is_own, number_of
from invoiced_pipeline.writeback.validation.replica import Numbers, read_replica

ADOPTED = "adopted"
"""Replaces the unknown hash of what was sent; the next plan compares with the replica instead."""


def adopt_records(plan: Plan, ledger: LedgerSession, context: PushContext) -> int:
    """Enters rows into the ledger whose records exist already.

    Args:
        plan: What would be sent.
        ledger: Takes the entries.
        context: Account, warehouse and run.

    Returns:
        How many rows; above 0 the plan must be made again.
    """
    rows = [
        row
        for row in plan.to_send
        if row.action == "create" and ledger.entry(row.record_key).version == 0
    ]
    made = _existing_records(plan, rows, context.database, context.dataset)
    owned = {entry.invoiced_id for entry in ledger.entries.values()}
    count = 0
    for row in rows:
        identity = made.get(row.record_key)
        if identity is None or identity in owned:
            continue
        owned.add(identity)
        # Write-back never changes records without an update path: they count as what the row wants.
        succeeded_hash = ADOPTED if plan.operation.update_path else row.payload_hash
        ledger.put(success(ledger.entry(row.record_key), succeeded_hash, None, identity))
        count += 1
    ledger.flush()
    return count


def _existing_records(
    plan: Plan, rows: Sequence[PlannedRow], database: Database, dataset: str
) -> Mapping[str, str]:
    """Finds the IDs of records that rows have created, by record key."""
    operation = plan.operation
    key, table = operation.natural_key, operation.table
    if key is None or table is None or not rows:
        return {}
    markers = {row.record_key: marker(dataset, plan.settings.name, row.record_key) for row in rows}
    marked = [row for row in rows if needs_marker(operation, row)]
    ids_by_marker = _ids_by_marker(database, dataset, table) if marked else {}
    ids = {
        row.record_key: ids_by_marker[markers[row.record_key]]
        for row in marked
        if markers[row.record_key] in ids_by_marker
    }
    numbered = {
        row.record_key: (number, row)
        for row in rows
        if plan.settings.check_replica and (number := number_of(operation, row.wanted))
    }
    if not numbered or not key.number:
        return ids
    numbers = Numbers(table, key.number, frozenset(number for number, _ in numbered.values()))
    replica = read_replica(database, dataset, {}, numbers)
    for record_key, (number, row) in numbered.items():
        for record in replica.holders(number):
            if is_own(operation, row.wanted, record, markers[record_key]):
                ids[record_key] = str(record["id"])
    return ids


def _ids_by_marker(database: Database, dataset: str, table: str) -> Mapping[str, str]:
    """Reads the IDs of the replica's records that have markers."""
    if not database.exists():
        return {}
    with database.session(dataset, read_only=True) as session:
        if table not in session.tables(with_column="metadata"):
            return {}
        sql = (
            f'select id, metadata from "{table}" '  # noqa: S608 - our own names
            "where _deleted_at is null and cast(metadata as text) like %s"
        )
        rows = session.rows(sql, [f"%{MARKER}%"])
    return {mark: str(key) for key, text in rows if (mark := _marker_in(text))}


def _marker_in(metadata: str | None) -> str | None:
    try:
        value = msgspec.json.decode(metadata or "null")
    except msgspec.MsgspecError:
        return None
    mark = value.get(MARKER) if isinstance(value, dict) else None
    return mark if isinstance(mark, str) else None
