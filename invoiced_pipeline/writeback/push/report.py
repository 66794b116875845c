"""What a push did, in numbers and with every row that needs a person."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.writeback.ledger.ledger import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A row that is not where it should be.

    Attributes:
        record_key: The row's key.
        state: Its state; `sent` has no known outcome yet.
        status_code: HTTP status of the last answer.
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
        unchanged: Rows that were as they should be.
        succeeded: Rows sent with success, or found to have been.
        states: Rows by state, of those that were not unchanged.
        verified: Records that are as they were asked for.
        drifted: Record keys of those that are not, with the fields.
        problems: Rows that were not carried out, or not known to be.
        stopped: Why sending stopped before all rows were sent; None where it did not.
        notes: What a person should know.
        tally: Requests, retries and waiting.
        seconds: How long it took.
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
    problems: list[Problem] = field(default_factory=list)
    stopped: str | None = None
    notes: list[str] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0
    reject_share: float = 0.0

    @property
    def failure(self) -> str | None:
        """Why the push is no success; None when it is one.

        Rows without a known outcome always fail it, rejected and invalid ones above their share,
        and so does whatever stopped it. Held rows wait, and do not.
        """
        if self.stopped:
            return self.stopped
        said = f"Write-back {self.writeback!r}"
        unsure = [each for each in self.problems if each.state in {"unknown", "sent"}]
        if unsure:
            return f"{said}: {_open_outcomes(unsure)}"
        refused = [each for each in self.problems if each.state in {"rejected", "invalid"}]
        if refused and len(refused) > self.reject_share * self.rows:
            first = refused[0]
            verb = "was" if len(refused) == 1 else "were"
            share = f"{len(refused):,} of {counted(self.rows, 'row')} {verb} refused"
            return (
                f"{said}: {share}, more than reject_share ({self.reject_share:.1%}). First: record "
                f"{first.record_key!r}, {first.error}"
            )
        unsent = [each for each in self.problems if each.state == "planned"]
        if unsent:
            what = counted(len(unsent), "row")
            return f"{said}: {what} could not be sent. First: {unsent[0].error}"
        return None


def _open_outcomes(unsure: list[Problem]) -> str:
    """How many rows have no known outcome, why, and what to do next."""
    waiting = [each for each in unsure if each.state == "sent"]
    unknown = [each for each in unsure if each.state == "unknown"]
    parts = []
    if waiting:
        first = waiting[0]
        ends = [each.may_run_until for each in waiting if each.may_run_until is not None]
        until = f"{max(ends).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if ends else None
        rows = counted(len(waiting), "row")
        parts.append(
            f"the outcome of {rows} is not known yet: a push claimed them and was "
            "stopped, or their answer was lost, and their requests may still be carried out"
            + (f" until {until}. Push again after that" if until else ". Push again in a minute")
            + "; what became of them is looked up before anything is sent. First: record "
            f"{first.record_key!r}" + (f", {first.error}" if first.error else "")
        )
    if unknown:
        first = unknown[0]
        parts.append(
            f"the outcome of {counted(len(unknown), 'row')} cannot be established. First: record "
            f"{first.record_key!r}" + (f", {first.error}" if first.error else "")
        )
    return "; ".join(parts)
