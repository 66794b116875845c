"""What the last push of a write-back did; plans and single rows say nothing about it."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from invoiced_pipeline.alerts.incident import Finding, Key
from invoiced_pipeline.alerts.reasons import PUSH_STOPPED, ROWS_LEFT, STATES
from invoiced_pipeline.defs.alerts.ended_runs import ended_runs, op_config
from invoiced_pipeline.defs.alerts.run_outcome import parts_that_failed
from invoiced_pipeline.defs.names import (
    PARENT_REPORT,
    PUSH_REPORT,
    writeback_job_name,
    writeback_op_name,
)
from invoiced_pipeline.defs.runs.failure import FailedPart
from invoiced_pipeline.settings import ConnectionSettings, WritebackSettings

_MOST_PLANS = 10
"""How many newer plans may hide the last push; a sensor does not search all of the history."""


def writeback_findings(
    instance: dg.DagsterInstance, connection: ConnectionSettings, writeback: WritebackSettings
) -> Iterator[Finding]:
    """Yields how the last push ended, and its rows that were not carried out, by state.

    A push that first pushed other write-backs yields their findings, too.
    """
    name = writeback.name
    for record in ended_runs(instance, writeback_job_name(connection, name), limit=_MOST_PLANS):
        run = record.dagster_run
        config = op_config(run, writeback_op_name(connection, name))
        if config.get("dry_run", True) or config.get("record"):
            continue
        parts: list[FailedPart] | None = []
        if run.status is not dg.DagsterRunStatus.SUCCESS:
            parts = parts_that_failed(instance, run.run_id)
        if parts is not None:
            yield from _of_push(name, record, parts, _reports(instance, run.run_id, name))
        return


def _of_push(
    name: str,
    record: dg.RunRecord,
    parts: list[FailedPart],
    reports: Mapping[str, Mapping[str, Any]],
) -> Iterator[Finding]:
    run_id, at = record.dagster_run.run_id, record.end_time or 0.0
    stopped = {each.subject: each.reason for each in parts if each.reason == PUSH_STOPPED}
    others = [each for each in parts if each.reason not in {PUSH_STOPPED, ROWS_LEFT}]
    if others:
        stopped[name] = others[0].reason
    for subject in {name, *reports}:
        reason = stopped.get(subject)
        yield Finding(key=Key("push", subject), at=at, reason=reason, run_id=run_id)
    for subject, report in reports.items():
        for state in STATES:
            count = int(report["states"].get(state, 0))
            yield Finding(
                key=Key("rows", subject, state),
                at=at,
                reason=ROWS_LEFT if count else None,
                run_id=run_id,
                count=count,
            )


def _reports(
    instance: dg.DagsterInstance, run_id: str, name: str
) -> Mapping[str, Mapping[str, Any]]:
    """Returns the reports of a push, by write-back."""
    found: dict[str, Any] = {}
    for kind in (dg.DagsterEventType.STEP_OUTPUT, dg.DagsterEventType.STEP_FAILURE):
        for entry in instance.all_logs(run_id, of_type=kind):
            for key, value in _metadata(entry.dagster_event).items():
                if key == PUSH_REPORT:
                    found[name] = value.value
                elif key.startswith(PARENT_REPORT):
                    found[key.removeprefix(PARENT_REPORT)] = value.value
    return found


def _metadata(event: dg.DagsterEvent | None) -> Mapping[str, Any]:
    if event is None:
        return {}
    if event.is_successful_output:
        return event.step_output_data.metadata
    failure = event.step_failure_data.user_failure_data
    return failure.metadata if failure else {}
