"""SIGTERM, as a container's end sends it: a command stops in order, says so, and exits with 143."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

EXIT_CODE = 128 + signal.SIGTERM
"""What a shell reports for a program that SIGTERM ended."""

_SENTENCE = (
    "Stopped by SIGTERM: what was complete is kept, and the next run continues where this one "
    "stopped"
)


class Terminated(SystemExit):
    """SIGTERM arrived while no run was under way; where one is, Dagster and dlt end it."""


@contextmanager
def told_of_termination() -> Iterator[None]:
    """Turns SIGTERM into an orderly end: exit code 143, and a sentence on stderr.

    A command that came to a good end nevertheless keeps its exit code.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _arrivals() as arrived, _handlers():
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
    """Reads which signals arrived, whoever handled them."""

    def __init__(self, read_end: int) -> None:
        self._read_end = read_end

    def __call__(self) -> bool:
        """Whether SIGTERM was among them."""
        try:
            return signal.SIGTERM in os.read(self._read_end, 4096)
        except BlockingIOError:
            return False


@contextmanager
def _arrivals() -> Iterator[_Arrivals]:
    """Has Python note every signal.

    Dagster and dlt put their own handlers in place of ours while they run, and neither tells
    afterwards whether it was SIGTERM or Ctrl-C.
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
    """One handler for both signals: Dagster gives SIGTERM that of SIGINT after each step."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    if number != signal.SIGTERM:
        signal.default_int_handler(number, frame)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not disturb the end
    raise Terminated(EXIT_CODE)
