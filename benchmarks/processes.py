"""Runs commands as processes of their own and measures what they took."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
_FOREIGN = ("INVOICED_", "DAGSTER_", "DLT_")


@dataclass(frozen=True, slots=True)
class Usage:
    """What commands took, all of a pipe together.

    Attributes:
        seconds: From the start of the first to the end of the last.
        cpu_seconds: User and system, with their children.
        peak_mb: The largest resident memory of each, added up; 10^6 bytes.
        output: What the last one printed.
        logs: The error output of each.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    output: str
    logs: tuple[str, ...]


class CommandFailedError(Exception):
    """A measured command did not end well; its figures would mean nothing."""


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs a module of this project with this Python."""
    return [sys.executable, "-m", name, *map(str, arguments)]


def measure(
    *commands: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Usage:
    """Runs commands, joined by pipes, and waits for their end.

    On Linux a child's peak memory is never less than its parent's: the process that measures
    imports nothing large, and everything heavy happens in children.

    Args:
        commands: The first one's output is the second one's input.
        folder: Their working directory, where logs are kept, too.
        environment: Variables besides the machine's own; settings of the user's do not count.

    Raises:
        CommandFailedError: One of them exited with another code than 0.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    # A proxy of the machine's must not stand between a client and the emulator.
    local = {"NO_PROXY": "*", "no_proxy": "*", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    began = time.monotonic()
    processes = _start(commands, folder, kept | local | dict(environment or {}))
    used = _wait(processes)
    seconds = time.monotonic() - began
    logs = tuple(_read(folder / f"log{at}.txt") for at in range(len(commands)))
    for process, log in zip(processes, logs, strict=True):
        if process.returncode:
            message = f"{process.args} exited with {process.returncode}:\n{log[-3000:]}"
            raise CommandFailedError(message)
    return Usage(
        seconds=seconds,
        cpu_seconds=sum(each.ru_utime + each.ru_stime for each in used),
        peak_mb=sum(each.ru_maxrss for each in used) * _BYTES_PER_UNIT / 1e6,
        output=_read(folder / "output.txt"),
        logs=logs,
    )


def _start(
    commands: Sequence[Sequence[str]], folder: Path, environment: Mapping[str, str]
) -> list[subprocess.Popen[bytes]]:
    processes: list[subprocess.Popen[bytes]] = []
    with ExitStack() as files:
        output = files.enter_context((folder / "output.txt").open("wb"))
        for at, command in enumerate(commands):
            before = processes[-1].stdout if processes else None
            process = subprocess.Popen(  # noqa: S603 - our own
                command,
                cwd=folder,
                env=environment,
                stdin=before or subprocess.DEVNULL,
                stdout=output if at == len(commands) - 1 else subprocess.PIPE,
                stderr=files.enter_context((folder / f"log{at}.txt").open("wb")),
            )
            if before:
                before.close()  # else the writer would never hear that the reader died
            processes.append(process)
    return processes


def _wait(processes: Sequence[subprocess.Popen[bytes]]) -> list[resource.struct_rusage]:
    """What each one used until its end; none outlives whoever waits for it."""
    used = []
    try:
        for process in processes:
            _, status, resources = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            used.append(resources)
    except BaseException:
        for process in processes:
            process.kill()
        raise
    return used


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
