"""SIGTERM, which stopping a container sends: a command stops in order and exits with 143."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import typer

EXIT_CODE = 128 + signal.SIGTERM
"""The exit code that a shell reports for a program that SIGTERM ended."""

_SENTENCE = (
    "Stopped by SIGTERM: what was complete is kept, and the next run continues where this one "
    "stopped"
)

_AGAIN_AFTER = 0.05
"""Seconds until a lost signal is sent again: enough to leave the callback."""


class Terminated(SystemExit):
    """SIGTERM arrived while no run was in progress; otherwise Dagster and dlt end the run."""


@contextmanager
def orderly_termination() -> Iterator[None]:
    """Turns SIGTERM into an orderly end: exit code 143 and a sentence on stderr.

    A command that succeeds nevertheless keeps its exit code.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _arrivals() as arrived, _handlers(), _lost_signals_resent(arrived):
        try:
            yield
        except BaseException as error:
            if _is_success(error) or not arrived():
                raise
            typer.secho(_SENTENCE, fg="red", err=True)
            raise SystemExit(EXIT_CODE) from None


def _is_success(error: BaseException) -> bool:
    return isinstance(error, SystemExit) and error.code in {None, 0}


class _Arrivals:
    """The signals that have arrived, whoever handled them."""

    def __init__(self, read_end: int) -> None:
        self._read_end = read_end
        self._so_far = b""

    def __call__(self) -> bool:
        """Returns whether SIGTERM is among them."""
        with suppress(BlockingIOError):
            self._so_far += os.read(self._read_end, 4096)
        return signal.SIGTERM in self._so_far


@contextmanager
def _arrivals() -> Iterator[_Arrivals]:
    """Makes Python record every signal.

    Dagster and dlt install their own handlers while they run, and neither says afterwards whether
    it was SIGTERM or Ctrl-C.
    """
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    before = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    try:
        yield _Arrivals(read_end)
    finally:
        signal.set_wakeup_fd(before)
        os.close(read_end)
        os.close(write_end)


@contextmanager
def _handlers() -> Iterator[None]:
    """Installs one handler for both signals: after each step Dagster gives SIGTERM SIGINT's."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _lost_signals_resent(arrived: _Arrivals) -> Iterator[None]:
    """Sends a signal again if Python dropped its exception.

    A handler interrupts the main thread at any point. In a finalizer, or in the callback of a weak
    reference (every import has one), its exception goes to `sys.unraisablehook` and ends nothing.
    """
    before = sys.unraisablehook

    def hook(lost: "sys.UnraisableHookArgs") -> None:
        if lost.exc_value is None or isinstance(lost.exc_value, Exception):
            before(lost)
            return
        if isinstance(lost.exc_value, Terminated):
            signal.signal(signal.SIGTERM, _end)
        number = signal.SIGTERM if arrived() else signal.SIGINT
        again = threading.Timer(_AGAIN_AFTER, os.kill, (os.getpid(), number))
        again.daemon = True
        again.start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def _end(number: int, frame: FrameType | None) -> None:
    if number != signal.SIGTERM:
        signal.default_int_handler(number, frame)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not interrupt the end
    raise Terminated(EXIT_CODE)
