"""Rows of a plan that are sent, and ledger entries of those that are not."""

from dataclasses import replace

from invoiced_pipeline.writeback.ledger.keys import marker
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.plan.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.plan.request import (
    OutgoingRequest,
    needs_marker,
    outgoing_requests,
)
from invoiced_pipeline.writeback.plan.send_decision import Retries, reason_to_hold
from invoiced_pipeline.writeback.push.context import PushContext
from invoiced_pipeline.writeback.push.ledger_session import LedgerSession


def note_unsent(plan: Plan, ledger: LedgerSession, run_id: str) -> None:
    """Writes ledger entries for rows that are invalid, held, or unchanged.

    An open outcome is never overwritten, nor the API's response to a row that did not change. Of
    several rows of one key, the last one decides.
    """
    sent_keys = {row.record_key for row in plan.to_send}
    last = {row.record_key: row for row in plan.rows}
    for row in plan.rows:
        if row.is_sent or row.record_key in sent_keys:
            continue
        if row.action == "unchanged" and row is not last[row.record_key]:
            continue
        entry = ledger.entry(row.record_key)
        new = _entry_of_unsent(row, entry)
        if new != entry:
            ledger.put(replace(new, run_id=run_id))
    ledger.flush()


def _entry_of_unsent(row: PlannedRow, entry: Entry) -> Entry:
    if entry.state == "sent":
        return entry
    if row.action == "unchanged":
        return _entry_of_unchanged(row, entry)
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


def _entry_of_unchanged(row: PlannedRow, entry: Entry) -> Entry:
    """The entry of a row whose record, or last success, is what the row wants."""
    is_open = entry.state == "unknown" and entry.succeeded_hash == row.payload_hash
    if entry.version == 0 or entry.state == "succeeded" or is_open:
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


def sendable_requests(
    plan: Plan, ledger: LedgerSession, context: PushContext, retries: Retries
) -> list[OutgoingRequest]:
    """Groups the rows that may be sent into requests.

    Args:
        plan: The plan.
        ledger: What is known of its rows. A refused row that is sent again becomes `planned`.
        context: Account, warehouse and run.
        retries: Rows to send again.
    """
    rows = [row for row in plan.to_send if may_send(row, plan, ledger, retries)]
    for row in rows:
        entry = ledger.entry(row.record_key)
        if retries.include(entry):
            # Its key stands for a refusal, or for an unknown outcome, and is not used again.
            ledger.put(replace(entry, state="planned", key_sent_at=None))
    markers = {
        row.record_key: marker(context.dataset, plan.settings.name, row.record_key)
        for row in rows
        if needs_marker(plan.operation, row)
    }
    return outgoing_requests(rows, markers)


def may_send(row: PlannedRow, plan: Plan, ledger: LedgerSession, retries: Retries) -> bool:
    """Whether a planned row may be sent, by the ledger as it is now."""
    creates = plan.operation.kind == "create" and row.action == "create"
    entry = ledger.entry(row.record_key)
    return reason_to_hold(entry, row.payload_hash, retries, creates=creates) is None
