"""Whether a run is alive: one function, with a case for a server and one for a file.

A server knows the runs of every machine, because each keeps a session while it writes or waits, and
a session ends with its process. A launcher does not always know: for a Celery worker that was
killed with all its processes, Celery reports the task as started until its result expires.

Beside a file, runs are processes of this machine or of its containers. A process id proves little
there: containers reuse ids. A run that writes holds the lock, and one that waits has a holder to
wait for.
"""

import os
import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from invoiced_pipeline.warehouse.database import LockState

PROCESS_TAG = "invoiced_pipeline/process"
"""A tag on a run: `pid@host` of the process that executes it."""

_LONGEST_PLANNING = timedelta(minutes=2)
_LONGEST_START = timedelta(minutes=15)
"""No living run takes longer from its start until its op tags it and takes the lock, or from the
lock's release to its end. A run without a sign of a process gets more time, because its process may
still be starting."""

_LOST = {"FAILED", "NOT_FOUND"}
"""What a launcher reports of a worker that is gone."""


def this_process() -> str:
    """Returns the tag's value for this process."""
    return f"{os.getpid()}@{socket.gethostname()}"


def is_alive(instance: dg.DagsterInstance, run: dg.DagsterRun, lock: LockState) -> bool:
    """Returns whether a run that Dagster takes for running may still be.

    Args:
        instance: Where the run is recorded.
        run: A run that has left the queue and has not ended.
        lock: The writer's lock of its dataset now.
    """
    if lock.holder is not None and lock.holder.run_id == run.run_id:
        return True
    if lock.dead is not None and lock.dead.run_id == run.run_id:
        return False
    pid, _, host = run.tags.get(PROCESS_TAG, "").partition("@")
    if pid.isdigit() and host == socket.gethostname() and not _has_process(int(pid)):
        return False
    if lock.connected is not None:
        return run.run_id in lock.connected or _is_starting_or_ending(instance, run)
    return _has_local_process(instance, run, lock)


def _is_starting_or_ending(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Returns whether a run may have no session yet, or not any more: its last event is recent."""
    if run.status is not dg.DagsterRunStatus.STARTED:
        return _age(instance, run) <= _LONGEST_START
    newest = instance.get_records_for_run(run.run_id, limit=1, ascending=False).records
    at = datetime.fromtimestamp(newest[0].timestamp, UTC) if newest else None
    return at is None or datetime.now(UTC) - at <= _LONGEST_PLANNING


def _has_local_process(instance: dg.DagsterInstance, run: dg.DagsterRun, lock: LockState) -> bool:
    age = _age(instance, run)
    if age > _LONGEST_PLANNING and _launcher_lost(instance, run):
        return False
    if run.tags.get(PROCESS_TAG):
        # It may wait for the lock's holder, or be about to take the lock. If nobody holds the lock,
        # a process with its id is another one.
        return lock.holder is not None or age <= _LONGEST_PLANNING
    pids = [
        int(found[1])
        for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        if (found := re.search(r"\(pid: (\d+)\)", entry.user_message or entry.message))
    ]
    if pids:  # perhaps ids of another machine: they count only once the op must have started
        return age <= _LONGEST_PLANNING or any(map(_has_process, pids))
    return age <= _LONGEST_START


def _launcher_lost(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Returns whether a launcher that watches its workers, as on Kubernetes, has lost this one's.

    It does not know runs that a command executes in its own process.
    """
    launcher = instance.run_launcher
    if not launcher.supports_check_run_worker_health:
        return False
    is_launched = instance.get_run_stats(run.run_id).launch_time is not None
    return is_launched and launcher.check_run_worker_health(run).status.value in _LOST


def _age(instance: dg.DagsterInstance, run: dg.DagsterRun) -> timedelta:
    """Returns the time since the run left the queue, or else since it was created."""
    record = instance.get_run_record_by_id(run.run_id)
    if record is None:
        return timedelta()
    now = datetime.now(UTC)
    if record.start_time is not None:
        return now - datetime.fromtimestamp(record.start_time, UTC)
    return now - record.create_timestamp


def _has_process(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Returns whether a process has ended unreaped, as happens in containers without init."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False  # it is gone by now, or this is not Linux
    return stat.rpartition(")")[2].split()[:1] == ["Z"]
