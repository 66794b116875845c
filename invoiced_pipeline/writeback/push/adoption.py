"""Records that an older ledger does not know of, found in the replica by marker, or number.

A warehouse that is put back from a copy has a ledger that forgot what was sent since. The next sync
brings those records back with the marker that was put into their metadata: they are taken for what
they are, and not made again. So is a record that has the row's number and shows what the row wants.
"""

from collections.abc import Mapping, Sequence

import msgspec

from invoiced_pipeline.catalog.operations import MARKER
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.ledger.keys import marker
from invoiced_pipeline.writeback.plan.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.plan.request import needs_marker
from invoiced_pipeline.writeback.push.ledger_session import Book
from invoiced_pipeline.writeback.push.transitions import success
from invoiced_pipeline.writeback.validation.record_numbers import is_own, number_of
from invoiced_pipeline.writeback.validation.replica import Numbers, read_replica

ADOPTED = "adopted"
"""Stands for the hash of what was sent, which nobody knows: the replica tells the difference."""


def adopt(plan: Plan, book: Book, database: Database, dataset: str) -> int:
    """Notes rows whose records are there already, though the ledger never heard of them.

    Args:
        plan: What would be sent.
        book: Takes the entries.
        database: The warehouse.
        dataset: The schema of ledger and replica.

    Returns:
        How many rows; then the plan is to be made again.
    """
    rows = [
        row
        for row in plan.to_send
        if row.action == "create" and book.entry(row.record_key).version == 0
    ]
    made = _made(plan, rows, database, dataset)
    owned = {entry.invoiced_id for entry in book.entries.values()}
    count = 0
    for row in rows if made else ():
        identity = made.get(row.record_key)
        if identity is None or identity in owned:
            continue
        owned.add(identity)
        # What is never changed afterwards is taken for what the row wants.
        known = ADOPTED if plan.operation.update_path else row.payload_hash
        book.put(success(book.entry(row.record_key), known, None, identity))
        count += 1
    book.flush()
    return count


def _made(
    plan: Plan, rows: Sequence[PlannedRow], database: Database, dataset: str
) -> Mapping[str, str]:
    """Ids of the records that rows have made, by record key."""
    operation = plan.operation
    key, name = operation.natural_key, operation.table
    if key is None or name is None:
        return {}
    marks = {row.record_key: marker(dataset, plan.settings.name, row.record_key) for row in rows}
    marked = [row for row in rows if needs_marker(operation, row)]
    found = _marked(database, dataset, name) if marked else {}
    made = {
        row.record_key: found[marks[row.record_key]]
        for row in marked
        if marks[row.record_key] in found
    }
    numbers = {
        row.record_key: (number, row)
        for row in rows
        if plan.settings.check_replica and (number := number_of(operation, row.wanted))
    }
    if not numbers or not key.number:
        return made
    asked = Numbers(name, key.number, frozenset(number for number, _ in numbers.values()))
    replica = read_replica(database, dataset, {}, asked)
    for record_key, (number, row) in numbers.items():
        for record in replica.holders(number):
            if is_own(operation, row.wanted, record, marks[record_key]):
                made[record_key] = str(record["id"])
    return made


def _marked(database: Database, dataset: str, name: str) -> Mapping[str, str]:
    """Ids of the replica's records by their markers."""
    if not database.exists():
        return {}
    with database.session(dataset, read_only=True) as session:
        if name not in session.tables(with_column="metadata"):
            return {}
        sql = (
            f'select id, metadata from "{name}" '  # noqa: S608 - our own names
            "where _deleted_at is null and cast(metadata as text) like %s"
        )
        rows = session.rows(sql, [f"%{MARKER}%"])
    return {mark: str(key) for key, text in rows if (mark := _mark_of(text))}


def _mark_of(text: str | None) -> str | None:
    try:
        metadata = msgspec.json.decode(text or "null")
    except msgspec.MsgspecError:
        return None
    mark = metadata.get(MARKER) if isinstance(metadata, dict) else None
    return mark if isinstance(mark, str) else None
