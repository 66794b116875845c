"""From a plan and the entries that a push left: its report."""

from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.push.ledger_session import Book
from invoiced_pipeline.writeback.push.report import Problem, PushReport


def fill_report(report: PushReport, plan: Plan, book: Book) -> None:
    """Counts states and lists every row that is not where it should be.

    Rows that the source no longer has are listed while their outcome is open.
    """
    keys: dict[str, bool] = {}
    for row in plan.rows:
        entry = book.entry(row.record_key)
        settled = row.action == "unchanged" and entry.state in {"planned", "succeeded"}
        report.unchanged += settled
        keys[row.record_key] = keys.get(row.record_key, False) or not settled
    concerned = [book.entry(key) for key, counts in keys.items() if counts]
    concerned += [
        entry
        for key, entry in book.entries.items()
        if key not in keys and entry.state in {"sent", "unknown"}
    ]
    for entry in concerned:
        report.states[entry.state] += 1
        if entry.state != "succeeded":
            report.problems.append(_problem(entry))
    for checked in book.answered:
        entry = checked.answered.entry
        report.succeeded += checked.answered.succeeded
        report.verified += checked.verified is True
        if checked.drift:
            report.drifted[entry.record_key] = [drift.field for drift in checked.drift]


def _problem(entry: Entry) -> Problem:
    return Problem(
        record_key=entry.record_key,
        state=entry.state,
        status_code=entry.status_code,
        error=entry.error,
        error_param=entry.error_param,
        may_run_until=entry.may_run_until,
    )
