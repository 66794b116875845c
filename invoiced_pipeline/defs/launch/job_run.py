"""Runs a job in this process; Dagster's UI shows the run like one that it launched."""

from collections.abc import Mapping, Set
from typing import Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.execution.execution_result import ExecutionResult

from invoiced_pipeline.defs.code_location import job_origin
from invoiced_pipeline.defs.runs.failure import (
    failure_description,
    innermost,
    is_interruption,
)
from invoiced_pipeline.defs.runs.liveness import PROCESS_TAG, this_process
from invoiced_pipeline.settings import LogFormat, load_settings

_CONSOLE_LEVEL: Mapping[LogFormat, str] = {
    "text": "CRITICAL",  # Dagster's log goes to the UI only: the command prints its own progress.
    "json": "INFO",
}


def run_job(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    config: Mapping[str, Any],
    *,
    tags: Mapping[str, str] | None = None,
    keys: Set[dg.AssetKey] = frozenset(),
) -> ExecutionResult:
    """Runs a job and waits for its end.

    `JobDefinition.execute_in_process` cannot name the code location that a run belongs to.

    Args:
        job: The job.
        instance: Where the run is recorded.
        config: Its configuration.
        tags: Tags of the run, besides the job's own.
        keys: The assets that the run selects; all of the job's by default.
    """
    settings = load_settings()
    console = {"config": {"log_level": _CONSOLE_LEVEL[settings.logs.format]}}
    run = instance.create_run_for_job(
        job_def=job,
        run_config={**config, "loggers": {"console": console}},
        tags={**job.run_tags, **(tags or {}), PROCESS_TAG: this_process()},
        asset_selection=frozenset(keys) or None,
        remote_job_origin=job_origin(job.name, settings),
    )
    return execute_run(InMemoryJob(job), run, instance)


def run_error(outcome: ExecutionResult, *, interrupted: str) -> str | None:
    """Returns why a run failed; None if it succeeded.

    Args:
        outcome: The run's result.
        interrupted: The text for a run that a signal ended.
    """
    if outcome.success:
        return None
    for event in outcome.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            known = failure_description(event)
            return known or (_innermost(error, interrupted) if error else event.message)
    return "the run failed before it began: see its log"


def _innermost(error: Any, interrupted: str) -> str:
    """Returns the message of the first cause; the run's log holds the whole chain."""
    return interrupted if is_interruption(error) else innermost(error).message.strip()
