"""A process that has imported what commands import, and forks one of its own for each command.

Imports are most of a short command's time. It runs as a script, so that a command finds no package
around its `__main__`, just as it finds none in the script of a console command.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Any, NoReturn

PACKAGE = "invoiced_pipeline"
_READS_SETTINGS = f"{PACKAGE}.definitions"
_ALSO = ("dagster.cli", "dagster._cli.asset", "dagster._cli.definitions", "dagster_postgres")
"""What a command imports beyond what the package's modules import at their top."""

_MESSAGE_BYTES = 1 << 20
_FILES = 4


def import_everything() -> None:
    """Imports all of the package but the definitions, which a command makes of its settings."""
    package = importlib.import_module(PACKAGE)
    for module in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        if module.name != _READS_SETTINGS:
            importlib.import_module(module.name)
    for name in _ALSO:
        with suppress(ImportError):
            importlib.import_module(name)
    if threading.active_count() != 1:
        raise RuntimeError(f"An import started threads: {threading.enumerate()}")


class ForkServer:
    """Forks a child for every request that arrives.

    A request is a JSON object with a command's `argv`, `cwd` and `environment`, and four open
    files: the command's three, and one that takes its process id and, when it has ended, its status
    as `waitpid` gives it, one a line.
    """

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._statuses: dict[int, int] = {}
        self._woken, wakes = socket.socketpair()
        self._wakes = wakes
        self._woken.setblocking(False)
        wakes.setblocking(False)
        self._selector = DefaultSelector()
        self._selector.register(requests, EVENT_READ)
        self._selector.register(self._woken, EVENT_READ)
        signal.set_wakeup_fd(wakes.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> dict[str, Any] | None:
        """Answers requests; returns one in the child that is to carry it out, else None."""
        while True:
            ready = {key.fileobj for key, _ in self._selector.select()}
            if self._woken in ready:
                self._woken.recv(_FILES * 1024)
                self._reap()
            if self._requests in ready:
                message, files, _, _ = socket.recv_fds(self._requests, _MESSAGE_BYTES, _FILES)
                if not message:
                    return None
                if self._fork(files):
                    return json.loads(message)

    def _fork(self, files: Sequence[int]) -> bool:
        *own, status = files
        process = os.fork()
        if process:
            self._statuses[process] = status
            for file in own:
                os.close(file)
            return False
        self._become_a_command(own)
        os.write(status, f"{os.getpid()}\n".encode())
        os.close(status)
        return True

    def _become_a_command(self, files: Sequence[int]) -> None:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for each in (self._requests, self._woken, self._wakes):
            each.close()
        for status in self._statuses.values():
            os.close(status)
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)

    def _reap(self) -> None:
        while self._statuses:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            file = self._statuses.pop(process)
            with suppress(BrokenPipeError):
                os.write(file, f"{status}\n".encode())
            os.close(file)


class Ending:
    """Ends a command without the interpreter's last step, which takes a second.

    Python waits for threads and calls what is registered for the exit, in reverse order; then it
    would take apart all that was imported. What is registered first comes just before that.
    """

    def __init__(self) -> None:
        self._status: int | None = None
        atexit.register(self._leave)

    def exit(self, status: object) -> NoReturn:
        """As `sys.exit`."""
        self._status = status if isinstance(status, int) else 0 if status is None else 1
        sys.exit(status)  # type: ignore[arg-type]

    def _leave(self) -> None:
        if self._status is not None:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self._status & 0xFF)


def carry_out(request: dict[str, Any], ending: Ending) -> None:
    """Runs the request's console command in this process."""
    sys.argv = request["argv"]
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    # As the interpreter opens them: lines are written at once on a terminal, errors always.
    line_by_line = 1 if os.isatty(1) else -1
    sys.stdin = sys.__stdin__ = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", line_by_line, "utf-8", closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", 1, "utf-8", "backslashreplace", closefd=False)
    name = Path(sys.argv[0]).name
    (command,) = entry_points(group="console_scripts", name=name)
    run = command.load()
    try:
        status = run()
    except SystemExit as end:
        status = end.code
    except BaseException:
        gc.unfreeze()  # else DuckDB's bindings report leaks
        raise
    ending.exit(status)


if __name__ == "__main__":
    _ending = Ending()
    sys.path[0] = str(Path(sys.executable).parent)  # as for a console command
    import_everything()
    caches = importlib.import_module("invoiced_pipeline_tests.library_caches")
    caches.install()
    caches.prepare()
    gc.collect()
    gc.freeze()  # memory stays shared with the children
    with socket.socket(fileno=int(sys.argv[1])) as _requests:
        _request = ForkServer(_requests).serve()
    if _request is None:
        _ending.exit(0)
    carry_out(_request, _ending)
