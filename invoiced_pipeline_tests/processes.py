"""Processes of commands, forked from one that has imported everything or started from nothing.

A forked command is a real process: of its own session, with the exit codes and signals of any
other. Only what an interpreter does before the command's own code is left out.
"""

import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from json import dumps
from pathlib import Path
from typing import IO

from invoiced_pipeline_tests import fork_server

BINARIES = Path(sys.executable).parent
REPOSITORY = Path(__file__).parents[1]

_FORKED = {"invoiced-pipeline", "dagster", "dagster-daemon", "dagster-webserver"}
_ENVIRONMENT = {"LANG": "C.UTF-8", "PYTHONPATH": str(REPOSITORY)}
_READ_AT_START = ("PYTHON", "LANG", "LC_", "TZ")
"""Beginnings of the variables that an interpreter reads when it starts."""


class ForkedProcess:
    """What tests use of `subprocess.Popen`, for a process that the fork server started.

    Args:
        status: Where the process's id arrives at once, and its exit status when it has ended.
        arguments: Its command line.
        out: Its output, unless that goes elsewhere.
        err: Its errors, unless they go elsewhere.
    """

    def __init__(
        self, status: int, arguments: Sequence[str], out: int | None = None, err: int | None = None
    ) -> None:
        self._status: IO[bytes] = os.fdopen(status, "rb", buffering=0)
        self._files = {"out": out, "err": err}
        self.args = list(arguments)
        self.returncode: int | None = None
        self.pid = int(self._line())

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.returncode = os.waitstatus_to_exitcode(int(self._line()))
            self._status.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end; gives the exit code."""
        if self.returncode is None:
            select.select([self._status], [], [], timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str | None, str | None]:
        """Waits for its end; gives what it wrote, and None for what went elsewhere."""
        deadline = None if timeout is None else time.monotonic() + timeout
        written = {name: bytearray() for name, file in self._files.items() if file is not None}
        names = {file: name for name, file in self._files.items() if file is not None}
        while names:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select(list(names), [], [], left)
            if not ready:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            for file in ready:
                if block := os.read(file, 65536):
                    written[names[file]] += block
                else:
                    os.close(file)
                    self._files[names.pop(file)] = None
        self.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
        out, err = (written.get(name) for name in ("out", "err"))
        return out if out is None else out.decode(), err if err is None else err.decode()

    def send_signal(self, number: int) -> None:
        """Sends it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _line(self) -> bytes:
        line = self._status.readline()
        if not line:
            raise RuntimeError(f"The fork server ended before {self.args}")
        return line


class _ForkServer:
    """The fork server of this process's tests, started when the first of them asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def request(self, message: bytes, files: Sequence[int]) -> None:
        with self._lock:
            if self._requests is None:
                self._requests = self._start()
            socket.send_fds(self._requests, [message], files)

    def stop(self) -> None:
        if self._requests is not None:
            self._requests.close()
            self._requests = None
        if self._process is not None:
            self._process.wait()

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own script
                [sys.executable, fork_server.__file__, str(theirs.fileno())],
                cwd=tempfile.gettempdir(),
                env={"PATH": f"{BINARIES}:/usr/bin:/bin", **_ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        return ours


FORK_SERVER = _ForkServer()

Process = ForkedProcess | subprocess.Popen[str]


def start_process(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    log: IO[str] | None = None,
    terminal: int | None = None,
    cold: bool = False,
) -> Process:
    """Starts a command of this environment as the leader of a session of its own.

    Args:
        command: Its name and arguments.
        folder: Where.
        environment: All variables that it sees.
        log: Where its output goes; else it is kept for `communicate`.
        terminal: A terminal that it reads from and writes to, instead.
        cold: Start an interpreter for it, in which nothing is imported.
    """
    name, *arguments = command
    whole = [str(BINARIES / name), *arguments]
    if cold or name not in _FORKED or not _is_as_at_start(environment):
        return subprocess.Popen(  # noqa: S603 - a command of this environment
            whole,
            cwd=folder,
            env=environment,
            stdin=terminal or subprocess.DEVNULL,
            stdout=terminal or log or subprocess.PIPE,
            stderr=terminal or log or subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    message = dumps({"argv": whole, "cwd": str(folder), "environment": dict(environment)})
    status, status_end = os.pipe()
    given = [status_end]
    kept: list[int] = []
    if terminal is not None:
        files = [terminal] * 3
    else:
        nothing = os.open(os.devnull, os.O_RDONLY)
        given.append(nothing)
        files = [nothing]
        for _ in range(2):
            if log is not None:
                files.append(log.fileno())
                continue
            ours, theirs = os.pipe()
            kept.append(ours)
            given.append(theirs)
            files.append(theirs)
    FORK_SERVER.request(message.encode(), [*files, status_end])
    for file in given:
        os.close(file)
    return ForkedProcess(status, whole, *kept)


def _is_as_at_start(environment: Mapping[str, str]) -> bool:
    """Whether an interpreter would start with these variables as the fork server's has."""
    read = {name: value for name, value in environment.items() if name.startswith(_READ_AT_START)}
    return sys.platform == "linux" and read == _ENVIRONMENT
