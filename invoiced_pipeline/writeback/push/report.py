"""The report of a push: counts, and every row that needs a person."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.writeback.ledger.ledger import Entry, State
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.push.ledger_session import LedgerSession


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFailure:
    """A row that was not carried out, or is not known to be.

    Attributes:
        record_key: The row's key.
        state: Its state; `sent` has no known outcome yet.
        status_code: HTTP status of the last response.
        error: Why.
        error_param: The field to blame.
        may_run_until: Until when (UTC) its request may still be carried out, in state `sent`.
    """

    record_key: str
    state: State
    status_code: int | None = None
    error: str | None = None
    error_param: str | None = None
    may_run_until: datetime | None = None


@dataclass(slots=True, kw_only=True)
class PushReport:
    """What a push did.

    Attributes:
        writeback: Name of the write-back.
        operation: Name of the operation.
        rows: Rows of the source.
        unchanged: Rows that needed no request.
        succeeded: Rows sent with success, or found to have been.
        states: Rows by state, without the unchanged ones.
        verified: Records that are as requested.
        drifted: Fields that are not as requested, by record key.
        failures: Rows that were not carried out, or are not known to be.
        stopped: Why sending stopped before all rows were sent; None where it did not.
        notes: What a person should know.
        tally: Requests, retries and waiting.
        seconds: How long the push took.
        reject_share: The share of rows above which rejected and invalid ones fail the push.
    """

    writeback: str
    operation: str = ""
    rows: int = 0
    unchanged: int = 0
    succeeded: int = 0
    states: Counter[str] = field(default_factory=Counter)
    verified: int = 0
    drifted: dict[str, list[str]] = field(default_factory=dict)
    failures: list[RowFailure] = field(default_factory=list)
    stopped: str | None = None
    notes: list[str] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0
    reject_share: float = 0.0

    @property
    def failure(self) -> str | None:
        """Why the push failed; None when it did not.

        It fails when sending stopped early, when a row has no known outcome, and when more rows are
        rejected or invalid than `reject_share` allows. Held rows only wait.
        """
        if self.stopped:
            return self.stopped
        name = f"Write-back {self.writeback!r}"
        open_rows = [each for each in self.failures if each.state in {"unknown", "sent"}]
        if open_rows:
            return f"{name}: {_open_outcomes(open_rows)}"
        refused = [each for each in self.failures if each.state in {"rejected", "invalid"}]
        if refused and len(refused) > self.reject_share * self.rows:
            first = refused[0]
            verb = "was" if len(refused) == 1 else "were"
            share = f"{len(refused):,} of {counted(self.rows, 'row')} {verb} refused"
            return (
                f"{name}: {share}, more than reject_share ({self.reject_share:.1%}). First: record "
                f"{first.record_key!r}, {first.error}"
            )
        unsent = [each for each in self.failures if each.state == "planned"]
        if unsent:
            what = counted(len(unsent), "row")
            return f"{name}: {what} could not be sent. First: {unsent[0].error}"
        return None


def _open_outcomes(rows: list[RowFailure]) -> str:
    """Says how many rows have no known outcome, why, and what to do next."""
    parts = []
    waiting = [each for each in rows if each.state == "sent"]
    if waiting:
        ends = [each.may_run_until for each in waiting if each.may_run_until is not None]
        until = f"{max(ends).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if ends else None
        parts.append(
            f"the outcome of {counted(len(waiting), 'row')} is not known yet: a push claimed them "
            "and was stopped, or their response was lost. Their requests may still be carried out"
            + (f" until {until}. Push again after that" if until else ". Push again in a minute")
            + f"; the push looks up what became of them before it sends anything. {_first(waiting)}"
        )
    unknown = [each for each in rows if each.state == "unknown"]
    if unknown:
        what = counted(len(unknown), "row")
        parts.append(f"the outcome of {what} cannot be established. {_first(unknown)}")
    return "; ".join(parts)


def _first(rows: list[RowFailure]) -> str:
    first = rows[0]
    return f"First: record {first.record_key!r}" + (f", {first.error}" if first.error else "")


def make_report(
    plan: Plan, ledger: LedgerSession, *, tally: Tally, stopped: str | None, notes: list[str]
) -> PushReport:
    """Counts states, and lists every row that was not carried out.

    Rows that the source no longer has are listed while their outcome is open.

    Args:
        plan: What was to be sent.
        ledger: The entries after the push.
        tally: Requests, retries and waiting.
        stopped: Why sending stopped early; None where it did not.
        notes: What a person should know, after the notes of the plan.
    """
    report = PushReport(
        writeback=plan.settings.name,
        operation=plan.operation.name,
        rows=len(plan.rows),
        stopped=stopped,
        notes=[*plan.notes, *notes],
        tally=tally,
        reject_share=plan.settings.reject_share,
    )
    needs_report: dict[str, bool] = {}
    for row in plan.rows:
        entry = ledger.entry(row.record_key)
        is_done = row.action == "unchanged" and entry.state in {"planned", "succeeded"}
        report.unchanged += is_done
        needs_report[row.record_key] = needs_report.get(row.record_key, False) or not is_done
    entries = [ledger.entry(key) for key, needed in needs_report.items() if needed]
    entries += [
        entry
        for key, entry in ledger.entries.items()
        if key not in needs_report and entry.state in {"sent", "unknown"}
    ]
    for entry in entries:
        report.states[entry.state] += 1
        if entry.state != "succeeded":
            report.failures.append(_row_failure(entry))
    for response in ledger.responses:
        report.succeeded += response.succeeded
        report.verified += response.verified is True
        if response.drift:
            report.drifted[response.entry.record_key] = [each.field for each in response.drift]
    return report


def _row_failure(entry: Entry) -> RowFailure:
    return RowFailure(
        record_key=entry.record_key,
        state=entry.state,
        status_code=entry.status_code,
        error=entry.error,
        error_param=entry.error_param,
        may_run_until=entry.may_run_until,
    )
