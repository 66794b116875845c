"""Runs that ended without a word, `kill -9` say, and that Dagster still takes for alive."""

import os
import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from invoiced_pipeline.defs.names import sweep_job_name, sync_job_name

PROCESS_TAG = "invoiced_pipeline/process"
"""On a run: `pid@host` of the process that executes it."""

DATASET_TAG = "invoiced_pipeline/dataset"
"""On a run of a write-back: the dataset that it reads, and where its ledger is."""

_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_QUEUED = dg.DagsterRunStatus.QUEUED
_SURELY_PLANNED = timedelta(minutes=2)
_SURELY_BEGUN = timedelta(minutes=15)
"""No living run takes longer from its creation to its op, which tags it; without any sign of a
process it is given more time, for its process may only be starting."""


def this_process() -> str:
    """The tag's value for this process."""
    return _process(os.getpid())


def fail_dead_runs(instance: dg.DagsterInstance, dataset: str, *, but: str) -> None:
    """Marks runs over `dataset` as failed whose process is gone.

    The writer's lock names only who died holding it. A run can also die before it takes the lock,
    while Dagster plans it, and then nothing else would ever end it.

    Args:
        instance: Where the runs are recorded.
        dataset: Whose runs.
        but: The run that asks.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
        concerns = is_over(run, dataset) or run.tags.get(DATASET_TAG) == dataset
        if run.run_id != but and concerns and _is_dead(instance, run):
            mark_failed(instance, run.run_id)


def living_runs(instance: dg.DagsterInstance, dataset: str) -> list[str]:
    """Ids of the runs over `dataset` that wait in the queue, or whose process may be alive."""
    return [
        run.run_id
        for run in instance.get_runs(dg.RunsFilter(statuses=[_QUEUED, *_UNFINISHED]))
        if is_over(run, dataset) and (run.status is _QUEUED or not _is_dead(instance, run))
    ]


def living_job_runs(instance: dg.DagsterInstance, job: str) -> list[str]:
    """Ids of a job's runs that wait in the queue, or whose process may be alive."""
    wanted = dg.RunsFilter(job_name=job, statuses=[_QUEUED, *_UNFINISHED])
    return [
        run.run_id
        for run in instance.get_runs(wanted)
        if run.status is _QUEUED or not _is_dead(instance, run)
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


def _is_dead(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    pid, _, host = run.tags.get(PROCESS_TAG, "").partition("@")
    if pid.isdigit():
        return host == socket.gethostname() and not _is_alive(int(pid))
    record = instance.get_run_record_by_id(run.run_id)
    age = datetime.now(UTC) - record.create_timestamp if record else timedelta()
    pids = [
        int(found[1])
        for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        if (found := re.search(r"\(pid: (\d+)\)", entry.user_message or entry.message))
    ]
    if pids:  # perhaps of another machine: so this only counts once the op would have begun
        return age > _SURELY_PLANNED and not any(map(_is_alive, pids))
    return age > _SURELY_BEGUN


def _process(pid: int) -> str:
    return f"{pid}@{socket.gethostname()}"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _waits_to_be_reaped(pid)


def _waits_to_be_reaped(pid: int) -> bool:
    """Whether a process has ended and its parent did not ask how, as in containers without init."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False  # it is gone by now, or this is no Linux
    return told.rpartition(")")[2].split()[:1] == ["Z"]
