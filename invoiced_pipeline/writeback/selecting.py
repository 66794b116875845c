"""Which rows of a plan go out: what is open, refused unchanged, or made before stays."""

from dataclasses import replace

from invoiced_pipeline.writeback.book import Book
from invoiced_pipeline.writeback.keys import marker
from invoiced_pipeline.writeback.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.target import Retry
from invoiced_pipeline.writeback.unit import Unit, needs_marker, units_of


def note_unsent(plan: Plan, book: Book, run_id: str) -> None:
    """Writes down invalid and held rows; an open outcome is never overwritten."""
    sending = {row.record_key for row in plan.to_send}
    for row in plan.rows:
        entry = book.entry(row.record_key)
        if (
            row.action not in {"invalid", "held"}
            or row.record_key in sending
            or entry.state in {"sent", "unknown"}
        ):
            continue
        new = replace(
            entry,
            state="invalid" if row.action == "invalid" else "held",
            payload_hash=row.payload_hash,
            error=row.reason,
            error_param=row.reason_param,
            status_code=None,
        )
        if new != entry:
            book.put(replace(new, run_id=run_id))
    book.flush()


def sendable_units(plan: Plan, book: Book, dataset: str, retry: Retry) -> list[Unit]:
    """The plan's rows that may go out, as units.

    Args:
        plan: The plan.
        book: What is known of its rows.
        dataset: Where the ledger is.
        retry: Rows that are sent again.
    """
    rows = [row for row in plan.to_send if _may_send(row, plan, book, retry)]
    marks = {
        row.record_key: marker(dataset, plan.settings.name, row.record_key)
        for row in rows
        if needs_marker(plan.operation, row)
    }
    return units_of(rows, marks)


def _may_send(row: PlannedRow, plan: Plan, book: Book, retry: Retry) -> bool:
    entry = book.entry(row.record_key)
    if retry.takes(entry) and entry.state in {"rejected", "unknown"}:
        # Never under the key it had: that one's answer is a refusal, or not known.
        book.put(replace(entry, state="planned", key_sent_at=None))
        return True
    if entry.state in {"sent", "unknown"}:
        return False
    if entry.state == "rejected" and entry.payload_hash == row.payload_hash:
        return False
    made_before = row.action == "create" and entry.invoiced_id is not None
    return not (made_before and plan.operation.kind == "create")
