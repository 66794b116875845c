"""Which rows of a plan go out: what is open, refused unchanged, or made before stays."""

from dataclasses import replace

from invoiced_pipeline.writeback.ledger.keys import marker
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.plan.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.plan.request import Unit, needs_marker, units_of
from invoiced_pipeline.writeback.plan.row_planner import Retries
from invoiced_pipeline.writeback.push.ledger_session import Book


def note_unsent(plan: Plan, book: Book, run_id: str) -> None:
    """Writes down rows that are invalid or held, or that need nothing any more.

    An open outcome is never overwritten, nor what the API said to a row that did not change. Of
    several rows of a key, the last one says what its record should be.
    """
    sending = {row.record_key for row in plan.to_send}
    last = {row.record_key: row for row in plan.rows}
    for row in plan.rows:
        if row.is_sent or row.record_key in sending:
            continue
        if row.action == "unchanged" and row is not last[row.record_key]:
            continue
        entry = book.entry(row.record_key)
        new = _unsent(row, entry)
        if new != entry:
            book.put(replace(new, run_id=run_id))
    book.flush()


def _unsent(row: PlannedRow, entry: Entry) -> Entry:
    if entry.state == "sent":
        return entry
    if row.action == "unchanged":
        return _as_it_should_be(row, entry)
    was_refused = entry.state == "rejected" and entry.payload_hash == row.payload_hash
    if entry.state == "unknown" or (row.action == "held" and was_refused):
        return entry
    return replace(
        entry,
        state="invalid" if row.action == "invalid" else "held",
        payload_hash=row.payload_hash,
        error=row.reason,
        error_param=row.reason_param,
        status_code=None,
    )


def _as_it_should_be(row: PlannedRow, entry: Entry) -> Entry:
    """The entry of a row whose record, or last success, is what it wants."""
    was_sent_so = entry.succeeded_hash == row.payload_hash
    open_otherwise = entry.state == "unknown" and was_sent_so
    if entry.version == 0 or entry.state == "succeeded" or open_otherwise:
        return entry
    return replace(
        entry,
        state="succeeded",
        payload_hash=row.payload_hash,
        succeeded_hash=row.payload_hash,
        error=None,
        error_param=None,
        status_code=None,
    )


def sendable_units(plan: Plan, book: Book, dataset: str, retries: Retries) -> list[Unit]:
    """The plan's rows that may go out, as units.

    Args:
        plan: The plan.
        book: What is known of its rows.
        dataset: Where the ledger is.
        retries: Rows that are sent again.
    """
    rows = [row for row in plan.to_send if _may_send(row, plan, book, retries)]
    marks = {
        row.record_key: marker(dataset, plan.settings.name, row.record_key)
        for row in rows
        if needs_marker(plan.operation, row)
    }
    return units_of(rows, marks)


def _may_send(row: PlannedRow, plan: Plan, book: Book, retries: Retries) -> bool:
    entry = book.entry(row.record_key)
    again = row.record_key in retries.record_keys
    if entry.state in {"rejected", "unknown"} and (again or retries.rejected):
        if entry.state == "unknown" and not again:
            return False
        # Never under the key it had: that one's answer is a refusal, or not known.
        book.put(replace(entry, state="planned", key_sent_at=None))
        return True
    if entry.state in {"sent", "unknown"}:
        return False
    if entry.state == "rejected" and entry.payload_hash == row.payload_hash:
        return False
    made_before = row.action == "create" and entry.invoiced_id is not None
    return not (made_before and plan.operation.kind == "create")
