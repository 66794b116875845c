"""Whether a run is alive: asked of the writer's lock, which dies with its process.

A process id says little: containers use the same ones again, and that of another machine cannot be
asked for. A run that writes holds the lock, and one that waits has another holder to wait for.
"""

import os
import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from invoiced_pipeline.warehouse.database import Holder

PROCESS_TAG = "invoiced_pipeline/process"
"""On a run: `pid@host` of the process that executes it."""

_SURELY_PLANNED = timedelta(minutes=2)
_SURELY_BEGUN = timedelta(minutes=15)
"""No living run takes longer from its start to its op, which tags it and takes the lock. A run
without any sign of a process gets more time, because its process may only be starting."""


def this_process() -> str:
    """The tag's value for this process."""
    return f"{os.getpid()}@{socket.gethostname()}"


def is_alive(instance: dg.DagsterInstance, run: dg.DagsterRun, holder: Holder | None) -> bool:
    """Whether a run that Dagster takes for under way may still be.

    Args:
        instance: Where the run is recorded.
        run: One that has left the queue and has not ended.
        holder: Who holds the writer's lock of its dataset at this moment.
    """
    if holder is not None and holder.run_id == run.run_id:
        return True
    pid, _, host = run.tags.get(PROCESS_TAG, "").partition("@")
    record = instance.get_run_record_by_id(run.run_id)
    age = _age(record) if record else timedelta()
    if pid.isdigit():
        if host == socket.gethostname() and not _has_process(int(pid)):
            return False
        # It may wait for whoever holds the lock, or be about to take it. Under a free lock, a
        # process of that number is another one.
        return holder is not None or age <= _SURELY_PLANNED
    pids = [
        int(found[1])
        for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        if (found := re.search(r"\(pid: (\d+)\)", entry.user_message or entry.message))
    ]
    if pids:  # perhaps of another machine: so this only counts once the op would have begun
        return age <= _SURELY_PLANNED or any(map(_has_process, pids))
    return age <= _SURELY_BEGUN


def _age(record: dg.RunRecord) -> timedelta:
    """Time since the run started, or since it was created; time in the queue does not count."""
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
    return not _waits_to_be_reaped(pid)


def _waits_to_be_reaped(pid: int) -> bool:
    """Whether a process has ended and its parent did not ask how, as in containers without init."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False  # it is gone by now, or this is no Linux
    return told.rpartition(")")[2].split()[:1] == ["Z"]
