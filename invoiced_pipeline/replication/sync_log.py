"""A run's reports as entries of `_sync_log`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.sweep.report import SweepReport
from invoiced_pipeline.warehouse.system_tables import Status, SyncLogEntry
from invoiced_pipeline.windows import FOREVER


@dataclass(frozen=True, slots=True)
class SkippedStart:
    """A scheduled start that was skipped.

    Attributes:
        at: When (UTC) the sync would have started.
        reason: Why it was skipped.
    """

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOutcome:
    """The outcome of a run's load, for all tables together.

    Attributes:
        ended_at: When it ended (UTC).
        rows_after: Rows now of the tables whose rows were counted before the load.
        error: Why the last package was not committed; None if all were.
    """

    ended_at: datetime
    rows_after: Mapping[str, int]
    error: str | None = None


def sync_log_entries(
    request: ReplicationRequest, reports: Mapping[str, TableReport], load: LoadOutcome
) -> list[SyncLogEntry]:
    """Returns one entry per table, including tables that failed or were never read."""
    read_until = max(
        (report.finished_at for report in reports.values() if report.finished_at),
        default=load.ended_at,
    )
    seconds = (load.ended_at - read_until).total_seconds()
    return [_entry(request, report, load, seconds) for report in reports.values()]


def sweep_log_entries(
    request: ReplicationRequest, reports: Mapping[str, SweepReport], ended_at: datetime
) -> list[SyncLogEntry]:
    """Returns one entry per swept table: what was marked and brought, or why nothing was."""
    return [
        SyncLogEntry(
            run_id=request.run_id,
            connection=request.connection,
            table_name=report.table,
            mode="sweep",
            window_start=None,
            window_end=None,
            started_at=report.started_at or ended_at,
            finished_at=ended_at,
            status=_status(report.error, report.unavailable),
            rows=report.brought,
            new_rows=report.brought,
            deleted_rows=report.deleted,
            rejected_rows=0,
            pages=0,
            requests=report.tally.requests,
            retries=report.tally.retries,
            wait_seconds=round(report.tally.wait_seconds, 3),
            load_seconds=0.0,
            error=report.error or report.unavailable,
            coverage_before=str(report.coverage),
            coverage_after=str(report.coverage),
        )
        for report in reports.values()
    ]


def _entry(
    request: ReplicationRequest, report: TableReport, load: LoadOutcome, load_seconds: float
) -> SyncLogEntry:
    committed = load.error is None or report.is_committed
    error = report.error or (None if committed else load.error) or report.alarm
    rows = report.rows if committed else report.committed_rows
    new = report.new_rows
    if new is None:
        new = load.rows_after.get(report.table, 0) - (report.rows_before or 0)
    ends = [window.end for window in report.covered or report.windows if window.end != FOREVER]
    return SyncLogEntry(
        run_id=request.run_id,
        connection=request.connection,
        table_name=report.table,
        mode=report.mode,
        window_start=report.windows[0].start if report.windows else None,
        window_end=max(ends, default=None),
        started_at=report.started_at or load.ended_at,
        finished_at=load.ended_at,
        status=_status(error, report.unavailable),
        rows=rows,
        new_rows=max(0, new) if committed or rows else 0,
        deleted_rows=report.deleted if committed else 0,
        rejected_rows=report.rejected,
        pages=report.pages,
        requests=report.tally.requests,
        retries=report.tally.retries,
        wait_seconds=round(report.tally.wait_seconds, 3),
        load_seconds=round(max(0.0, load_seconds), 3),
        error=error or report.unavailable,
        coverage_before=str(report.coverage_before),
        coverage_after=str(report.coverage if committed else report.coverage_before),
    )


def _status(error: str | None, unavailable: str | None) -> Status:
    if error:
        return "failed"
    return "unavailable" if unavailable else "succeeded"


def skipped_entry(connection: str, skip: SkippedStart) -> SyncLogEntry:
    """Returns the entry of a skipped start; it names no table, because it concerns all of them."""
    return SyncLogEntry(
        run_id=None,
        connection=connection,
        table_name=None,
        mode="sync",
        window_start=None,
        window_end=None,
        started_at=skip.at,
        finished_at=skip.at,
        status="skipped",
        rows=0,
        new_rows=0,
        deleted_rows=0,
        rejected_rows=0,
        pages=0,
        requests=0,
        retries=0,
        wait_seconds=0.0,
        load_seconds=0.0,
        error=skip.reason,
        coverage_before=None,
        coverage_after=None,
    )
