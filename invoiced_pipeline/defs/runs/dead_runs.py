"""Runs whose process died, for example by `kill -9`, and that Dagster still takes for alive."""

import dagster as dg

from invoiced_pipeline.defs.runs.liveness import PROCESS_TAG, is_alive, this_process
from invoiced_pipeline.warehouse.database import Holder

__all__ = ["DATASET_TAG", "PROCESS_TAG", "REPLICATES_TAG", "this_process"]

DATASET_TAG = "invoiced_pipeline/dataset"
"""A tag on a write-back's run: the dataset that it reads and that holds its ledger."""

REPLICATES_TAG = "invoiced_pipeline/replicates"
"""A tag on a run of a sync or sweep job: the dataset that it writes."""

_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_QUEUED = dg.DagsterRunStatus.QUEUED


def fail_dead_runs(instance: dg.DagsterInstance, dataset: str, *, but: str) -> None:
    """Marks runs over `dataset` as failed if their process is gone.

    The writer's lock names only the run that died holding it. A run can also die before it takes
    the lock, while Dagster plans it: nothing else would ever end it.

    Args:
        instance: Where the runs are recorded.
        dataset: The dataset that the runs read or write.
        but: The run that calls this; it holds the lock.
    """
    caller = Holder.of_this_process(but)
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
        concerns = is_over(run, dataset) or run.tags.get(DATASET_TAG) == dataset
        if run.run_id != but and concerns and not is_alive(instance, run, caller):
            mark_failed(instance, run.run_id)


def living_runs(instance: dg.DagsterInstance, dataset: str, holder: Holder | None) -> list[str]:
    """Returns the ids of the runs over `dataset` that are queued or may be alive.

    Args:
        instance: Where the runs are recorded.
        dataset: The dataset that the runs replicate.
        holder: Who holds the writer's lock of `dataset` now.
    """
    return [
        run.run_id
        for run in instance.get_runs(dg.RunsFilter(statuses=[_QUEUED, *_UNFINISHED]))
        if is_over(run, dataset) and (run.status is _QUEUED or is_alive(instance, run, holder))
    ]


def living_job_runs(instance: dg.DagsterInstance, job: str, holder: Holder | None) -> list[str]:
    """Returns the ids of a job's runs that are queued or may be alive; see `living_runs`."""
    wanted = dg.RunsFilter(job_name=job, statuses=[_QUEUED, *_UNFINISHED])
    return [
        run.run_id
        for run in instance.get_runs(wanted)
        if run.status is _QUEUED or is_alive(instance, run, holder)
    ]


def mark_failed(instance: dg.DagsterInstance, run_id: str) -> None:
    """Marks a run as failed because its process is gone, unless the run has ended."""
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_finished:
        instance.report_run_failed(
            run,
            "Its process died. What it had committed is complete; the run that found this repeats "
            "its work.",
        )


def is_over(run: dg.DagsterRun, dataset: str) -> bool:
    """Returns whether a run replicates tables of `dataset`."""
    if run.tags.get(REPLICATES_TAG) == dataset:
        return True
    # Runs that select tables have no job of ours, and runs of version 0.1.0 have no such tag.
    keys = run.asset_selection or ()
    jobs = {f"{dataset}_sync", f"{dataset}_sweep"}
    return run.job_name in jobs or any(key.path[-2:-1] == [dataset] for key in keys)
