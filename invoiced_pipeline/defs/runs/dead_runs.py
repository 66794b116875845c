"""Runs whose process died, for example by `kill -9`, and that Dagster still takes for alive."""

from collections.abc import Sequence

import dagster as dg

from invoiced_pipeline.defs.runs.liveness import is_alive
from invoiced_pipeline.defs.runs.tags import DATASET_TAG, REPLICATES_TAG
from invoiced_pipeline.warehouse.database import LockState

_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_QUEUED = dg.DagsterRunStatus.QUEUED


def fail_dead_runs(
    instance: dg.DagsterInstance, dataset: str, lock: LockState, *, but: str = ""
) -> list[str]:
    """Marks runs over `dataset` as failed if their process is gone; returns their ids.

    The writer's lock names only the run that died holding it. A run can also die before it takes
    the lock, while Dagster plans it: nothing else would ever end it.

    Args:
        instance: Where the runs are recorded.
        dataset: The dataset that the runs read or write.
        lock: The lock of `dataset` now.
        but: The run that calls this, if one does; it holds the lock.
    """
    dead = [
        run.run_id
        for run in unfinished_runs(instance)
        if concerns(run, dataset) and run.run_id != but and not is_alive(instance, run, lock)
    ]
    for run_id in dead:
        mark_failed(instance, run_id)
    return dead


def unfinished_runs(instance: dg.DagsterInstance) -> Sequence[dg.DagsterRun]:
    """Returns all runs that have left the queue and have not ended."""
    return instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))


def concerns(run: dg.DagsterRun, dataset: str) -> bool:
    """Returns whether a run reads or writes `dataset`."""
    return is_over(run, dataset) or run.tags.get(DATASET_TAG) == dataset


def living_runs(instance: dg.DagsterInstance, dataset: str, lock: LockState) -> list[str]:
    """Returns the ids of the runs over `dataset` that are queued or may be alive.

    Args:
        instance: Where the runs are recorded.
        dataset: The dataset that the runs replicate.
        lock: The writer's lock of `dataset` now.
    """
    return [
        run.run_id
        for run in instance.get_runs(dg.RunsFilter(statuses=[_QUEUED, *_UNFINISHED]))
        if is_over(run, dataset) and (run.status is _QUEUED or is_alive(instance, run, lock))
    ]


def living_job_runs(instance: dg.DagsterInstance, job: str, lock: LockState) -> list[str]:
    """Returns the ids of a job's runs that are queued or may be alive; see `living_runs`."""
    wanted = dg.RunsFilter(job_name=job, statuses=[_QUEUED, *_UNFINISHED])
    return [
        run.run_id
        for run in instance.get_runs(wanted)
        if run.status is _QUEUED or is_alive(instance, run, lock)
    ]


def waiting_runs(instance: dg.DagsterInstance, dataset: str, lock: LockState) -> list[str]:
    """Returns the ids of the runs over `dataset` that wait in Dagster's queue or for a worker."""
    waiting = instance.get_runs(dg.RunsFilter(statuses=[_QUEUED, dg.DagsterRunStatus.STARTING]))
    return [
        run.run_id
        for run in waiting
        if is_over(run, dataset) and (run.status is _QUEUED or is_alive(instance, run, lock))
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
