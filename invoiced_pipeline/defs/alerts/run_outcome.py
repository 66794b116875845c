"""How a run ended, from its events."""

import dagster as dg

from invoiced_pipeline.alerts.reasons import NO_MESSAGE
from invoiced_pipeline.defs.runs.failure import FailedPart, failed_parts


def parts_that_failed(instance: dg.DagsterInstance, run_id: str) -> list[FailedPart] | None:
    """Returns what failed in a run that did not succeed; None if a person or a signal ended it.

    A run that was canceled or interrupted is nobody's incident: its tables become stale if no
    other run follows.
    """
    run = instance.get_run_by_id(run_id)
    if run is None or run.status is dg.DagsterRunStatus.CANCELED:
        return None
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        if entry.dagster_event is not None:
            return failed_parts(entry.dagster_event) or None
    return [FailedPart("run", NO_MESSAGE)]
