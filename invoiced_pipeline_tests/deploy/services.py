"""Dagster's long-running processes, which a deployment starts and stops."""

import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._daemon.controller import get_daemon_statuses

from invoiced_pipeline_tests.front_door import DEADLINE, wait_until
from invoiced_pipeline_tests.processes import Process

_PATIENCE = 30.0
"""Seconds until a process is asked again to end."""


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def wait_for_daemons(home: str) -> set[str]:
    """Waits until all daemons of an instance have a heartbeat; returns their names."""
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(home)) as instance:
        names = instance.get_required_daemon_types()

        def are_healthy() -> bool:
            statuses = get_daemon_statuses(instance, names)
            return all(status.healthy for status in statuses.values())

        wait_until(are_healthy, "the daemon's heartbeats")
    return set(names)


def stop(processes: Sequence[Process]) -> list[int]:
    """Sends SIGTERM to each with all that it started, as systemd and Docker do; returns codes."""
    for process in processes:
        os.killpg(process.pid, signal.SIGTERM)
    codes = [_code_at_end(process) for process in processes]
    for process in processes:
        wait_until(lambda pid=process.pid: not has_processes(pid), "the end of all processes")
    return codes


def _code_at_end(process: Process) -> int:
    """Waits for the end of a process; a signal that arrives in a destructor is lost in Python."""
    for _ in range(int(DEADLINE / _PATIENCE)):
        with suppress(subprocess.TimeoutExpired):
            return process.wait(_PATIENCE)
        os.killpg(process.pid, signal.SIGTERM)
    return process.wait(_PATIENCE)


def has_processes(group: int) -> bool:
    """Whether a process group has a living process."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
