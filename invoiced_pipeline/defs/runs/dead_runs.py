"""Runs that ended without a word, `kill -9` say, and that Dagster still takes for alive."""

import dagster as dg

from invoiced_pipeline.defs.names import sweep_job_name, sync_job_name
from invoiced_pipeline.defs.runs.liveness import PROCESS_TAG, is_alive, this_process
from invoiced_pipeline.warehouse.database import Holder

__all__ = ["DATASET_TAG", "PROCESS_TAG", "this_process"]

DATASET_TAG = "invoiced_pipeline/dataset"
"""On a run of a write-back: the dataset that it reads, and where its ledger is."""

_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_QUEUED = dg.DagsterRunStatus.QUEUED


def fail_dead_runs(instance: dg.DagsterInstance, dataset: str, *, but: str) -> None:
    """Marks runs over `dataset` as failed whose process is gone.

    The writer's lock names only who died holding it. A run can also die before it takes the lock,
    while Dagster plans it, and then nothing else would ever end it.

    Args:
        instance: Where the runs are recorded.
        dataset: Whose runs.
        but: The run that asks.
    """
    asking = Holder.of_this_process(but)  # it holds the lock: others may wait for it
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
        concerns = is_over(run, dataset) or run.tags.get(DATASET_TAG) == dataset
        if run.run_id != but and concerns and not is_alive(instance, run, asking):
            mark_failed(instance, run.run_id)


def living_runs(instance: dg.DagsterInstance, dataset: str, holder: Holder | None) -> list[str]:
    """Ids of the runs over `dataset` that wait in the queue, or that may be alive.

    Args:
        instance: Where the runs are recorded.
        dataset: Whose runs.
        holder: Who holds the writer's lock of `dataset` at this moment.
    """
    return [
        run.run_id
        for run in instance.get_runs(dg.RunsFilter(statuses=[_QUEUED, *_UNFINISHED]))
        if is_over(run, dataset) and (run.status is _QUEUED or is_alive(instance, run, holder))
    ]


def living_job_runs(instance: dg.DagsterInstance, job: str, holder: Holder | None) -> list[str]:
    """Ids of a job's runs that wait in the queue, or that may be alive; as `living_runs`."""
    wanted = dg.RunsFilter(job_name=job, statuses=[_QUEUED, *_UNFINISHED])
    return [
        run.run_id
        for run in instance.get_runs(wanted)
        if run.status is _QUEUED or is_alive(instance, run, holder)
    ]


def mark_failed(instance: dg.DagsterInstance, run_id: str) -> None:
    """Marks a run whose process is gone as failed, unless it has ended."""
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_finished:
        instance.report_run_failed(
            run,
            "Its process ended without a word. Nothing of it was committed by halves; the run "
            "that found this repeats its work.",
        )


def is_over(run: dg.DagsterRun, dataset: str) -> bool:
    """Whether a run replicates tables of `dataset`."""
    keys = run.asset_selection or ()
    jobs = {sync_job_name(dataset), sweep_job_name(dataset)}
    return run.job_name in jobs or any(key.path[0] == dataset for key in keys)
