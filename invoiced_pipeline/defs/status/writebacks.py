"""The state of write-backs, from the metadata of their runs; the ledger stays closed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import dagster as dg

from invoiced_pipeline.defs.names import writeback_job_name, writeback_op_name
from invoiced_pipeline.defs.runs.failure import failure_description
from invoiced_pipeline.defs.runs.op_metadata import op_metadata
from invoiced_pipeline.settings import ConnectionSettings, Settings

WritebackState = Literal["pending", "ok", "failed"]

_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
_OUTCOMES = {dg.DagsterEventType.STEP_OUTPUT, dg.DagsterEventType.STEP_FAILURE}

_MOST_RUNS = 20
"""Newest runs that are searched for one over all rows."""

_PUSHED_BEFORE = "pushed_before_"
"""Begins the metadata of a write-back that the run of another one pushed first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WritebackStatus:
    """The state of one write-back after its last run over all rows.

    Attributes:
        writeback: Its name.
        state: `pending` before that run; `failed` if it failed.
        ended_at: When (UTC) it ended.
        run_id: The run.
        waiting: Rows that it left unsent or unsettled, by state: `planned` by a dry run,
            `rejected`, `unknown`, `held`, `invalid`.
        error: Why it failed.
    """

    writeback: str
    state: WritebackState = "pending"
    ended_at: datetime | None = None
    run_id: str | None = None
    waiting: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None


def writeback_statuses(
    instance: dg.DagsterInstance, settings: Settings, connection: ConnectionSettings
) -> list[WritebackStatus]:
    """Returns the state of a connection's write-backs."""
    names = [
        each.name for each in settings.writeback if settings.find(each.connection) == connection
    ]
    found = {name: _last_run(instance, connection, name) for name in names}
    newest = {name: _newest(name, [run for run in found.values() if run]) for name in names}
    return [_status(name, run) for name, run in newest.items()]


@dataclass(frozen=True, slots=True)
class _Run:
    writeback: str
    run_id: str
    ended_at: datetime
    has_failed: bool
    error: str | None
    metadata: Mapping[str, Any]


def _last_run(
    instance: dg.DagsterInstance, connection: ConnectionSettings, name: str
) -> _Run | None:
    wanted = dg.RunsFilter(job_name=writeback_job_name(connection, name), statuses=_FINISHED)
    op = writeback_op_name(connection, name)
    for record in instance.get_run_records(wanted, limit=_MOST_RUNS):
        config: Mapping[str, Any] = record.dagster_run.run_config
        if not config.get("ops", {}).get(op, {}).get("config", {}).get("record"):
            return _run(instance, name, record)
    return None


def _run(instance: dg.DagsterInstance, name: str, record: dg.RunRecord) -> _Run:
    run = record.dagster_run
    events = list(_outcomes(instance, run.run_id))
    errors = (failure_description(event) for event in events if event.is_step_failure)
    ended = record.end_time or record.update_timestamp.timestamp()
    return _Run(
        name,
        run.run_id,
        datetime.fromtimestamp(ended, UTC),
        run.status is dg.DagsterRunStatus.FAILURE,
        next(errors, None),
        op_metadata(events),
    )


def _outcomes(instance: dg.DagsterInstance, run_id: str) -> Iterator[dg.DagsterEvent]:
    for entry in instance.all_logs(run_id, of_type=_OUTCOMES):
        if entry.dagster_event:
            yield entry.dagster_event


def _newest(name: str, runs: list[_Run]) -> _Run | None:
    """Returns the newest run that planned or pushed a write-back, as its own or as a parent."""
    pushed = _PUSHED_BEFORE + name
    of_it = [run for run in runs if run.writeback == name or pushed in run.metadata]
    return max(of_it, key=lambda run: run.ended_at, default=None)


def _status(name: str, run: _Run | None) -> WritebackStatus:
    if run is None:
        return WritebackStatus(writeback=name)
    has_failed, error, metadata = run.has_failed, run.error, run.metadata
    if run.writeback != name:
        report = metadata[_PUSHED_BEFORE + name]
        has_failed, error = bool(report["failure"]), report["failure"]
        metadata = {"report": report}
    if has_failed and error is None:
        error = "its run ended without an error message: see the run's log"
    return WritebackStatus(
        writeback=name,
        state="failed" if has_failed else "ok",
        ended_at=run.ended_at,
        run_id=run.run_id,
        waiting=_waiting(metadata),
        error=error,
    )


def _waiting(metadata: Mapping[str, Any]) -> dict[str, int]:
    """Returns the rows that a run left waiting, by state; empty if it ended before its plan."""
    if report := metadata.get("report"):
        return {state: rows for state, rows in report["states"].items() if state != "succeeded"}
    planned = sum(rows for name, rows in metadata.items() if name.startswith("rows_to_"))
    counts = {
        "planned": planned,
        "invalid": metadata.get("rows_invalid", 0),
        "held": metadata.get("rows_held", 0),
    }
    return {state: rows for state, rows in counts.items() if rows}
