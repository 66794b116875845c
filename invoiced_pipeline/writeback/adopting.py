"""Records that an older ledger does not know of, found in the replica by their markers.

A warehouse that is put back from a copy has a ledger that forgot what was sent since. The next sync
brings those records back with the marker that was put into their metadata: they are taken for what
they are, and not made again.
"""

from collections.abc import Mapping

import msgspec

from invoiced_pipeline.catalog.operations import MARKER
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.book import Book
from invoiced_pipeline.writeback.keys import marker
from invoiced_pipeline.writeback.plan import Plan
from invoiced_pipeline.writeback.transitions import success
from invoiced_pipeline.writeback.unit import needs_marker

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
        if needs_marker(plan.operation, row) and book.entry(row.record_key).version == 0
    ]
    name = plan.operation.table
    made = _marked(database, dataset, name) if rows and name else {}
    count = 0
    for row in rows if made else ():
        identity = made.get(marker(dataset, plan.settings.name, row.record_key))
        if identity is None:
            continue
        # What is never changed afterwards is taken for what the row wants.
        known = ADOPTED if plan.operation.update_path else row.payload_hash
        book.put(success(book.entry(row.record_key), known, None, identity))
        count += 1
    book.flush()
    return count


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
