"""Runs commands in separate processes and measures their time and memory."""

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
_OUTPUT = "output.txt"
_FOREIGN = ("INVOICED_", "DAGSTER_", "DLT_")


@dataclass(frozen=True, slots=True)
class Usage:
    """Time and memory of commands, summed over a pipe.

    Attributes:
        seconds: From the start of the first command to the end of the last.
        cpu_seconds: User and system time, including child processes.
        peak_mb: The sum of each command's largest resident memory, in 10^6 bytes.
        output_file: Standard output of the last command; the next one in its folder replaces it.
        logs: Standard error of each command.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    output_file: Path
    logs: tuple[str, ...]

    @property
    def output(self) -> str:
        """Returns the standard output of the last command."""
        return _read(self.output_file)


class CommandFailedError(Exception):
    """A measured command failed, so its figures would mean nothing."""


def module(name: str, *arguments: object) -> list[str]:
    """Returns the command that runs a module of this project with this Python."""
    return [sys.executable, "-m", name, *map(str, arguments)]


def measure(
    *commands: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Usage:
    """Runs commands joined by pipes and waits for them.

    On Linux a child's peak memory is never below its parent's. The measuring process therefore
    imports nothing large, and all heavy work happens in children.

    Args:
        commands: The output of each is the input of the next.
        folder: Their working directory, which also keeps their logs.
        environment: Variables added to the machine's own, without the user's settings.

    Raises:
        CommandFailedError: One of them exited with a code other than 0.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    # Requests to the emulator must not go through the machine's proxy.
    local = {"NO_PROXY": "*", "no_proxy": "*", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    began = time.monotonic()
    processes = _start(commands, folder, kept | local | dict(environment or {}))
    used = _wait(processes)
    seconds = time.monotonic() - began
    logs = tuple(_read(folder / f"log{at}.txt") for at in range(len(commands)))
    for process, log in zip(processes, logs, strict=True):
        if process.returncode:
            said = log or _read(folder / _OUTPUT)  # Airbyte's engine prints its errors there
            message = f"{process.args} exited with {process.returncode}:\n{said[-3000:]}"
            raise CommandFailedError(message)
    return Usage(
        seconds=seconds,
        cpu_seconds=sum(each.ru_utime + each.ru_stime for each in used),
        peak_mb=sum(each.ru_maxrss for each in used) * _BYTES_PER_UNIT / 1e6,
        output_file=folder / _OUTPUT,
        logs=logs,
    )


def _start(
    commands: Sequence[Sequence[str]], folder: Path, environment: Mapping[str, str]
) -> list[subprocess.Popen[bytes]]:
    processes: list[subprocess.Popen[bytes]] = []
    with ExitStack() as files:
        output = files.enter_context((folder / _OUTPUT).open("wb"))
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
                before.close()  # otherwise the writer would not notice when the reader dies
            processes.append(process)
    return processes


def _wait(processes: Sequence[subprocess.Popen[bytes]]) -> list[resource.struct_rusage]:
    """Waits for all processes and returns their usage; kills them all on any error."""
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
