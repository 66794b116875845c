"""Whether a run is alive, by the writer's lock, which is released when its process dies.

A process id proves little: containers reuse ids, and one of another machine cannot be tested. A run
that writes holds the lock, and a run that waits has a holder to wait for.
"""

import os
import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from invoiced_pipeline.warehouse.database import Holder

PROCESS_TAG = "invoiced_pipeline/process"
"""A tag on a run: `pid@host` of the process that executes it."""

_LONGEST_PLANNING = timedelta(minutes=2)
_LONGEST_START = timedelta(minutes=15)
"""No living run takes longer from its start until its op tags it and takes the lock. A run without
a sign of a process gets more time, because its process may still be starting."""


def this_process() -> str:
    """Returns the tag's value for this process."""
    return f"{os.getpid()}@{socket.gethostname()}"


def is_alive(instance: dg.DagsterInstance, run: dg.DagsterRun, holder: Holder | None) -> bool:
    """Returns whether a run that Dagster takes for running may still be.

    Args:
        instance: Where the run is recorded.
        run: A run that has left the queue and has not ended.
        holder: Who holds the writer's lock of its dataset now.
    """
    if holder is not None and holder.run_id == run.run_id:
        return True
    pid, _, host = run.tags.get(PROCESS_TAG, "").partition("@")
    record = instance.get_run_record_by_id(run.run_id)
    age = _age(record) if record else timedelta()
    if pid.isdigit():
        if host == socket.gethostname() and not _has_process(int(pid)):
            return False
        # It may wait for the lock's holder, or be about to take the lock. If nobody holds the lock,
        # the process with that id is another one.
        return holder is not None or age <= _LONGEST_PLANNING
    pids = [
        int(found[1])
        for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        if (found := re.search(r"\(pid: (\d+)\)", entry.user_message or entry.message))
    ]
    if pids:  # perhaps ids of another machine: they count only once the op must have started
        return age <= _LONGEST_PLANNING or any(map(_has_process, pids))
    return age <= _LONGEST_START


def _age(record: dg.RunRecord) -> timedelta:
    """Returns the time since the run left the queue, or else since it was created."""
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
