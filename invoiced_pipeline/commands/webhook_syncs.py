"""Syncs that a webhook asks for: one at a time, and those asked for meanwhile become the next."""

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Set

logger = logging.getLogger(__name__)

Start = Callable[[str, Set[str]], int]
"""Syncs tables of a connection, and returns the exit code."""


class RequestedSyncs:
    """The syncs of one connection.

    Args:
        connection: Its name.
        start: Runs a sync to its end.
    """

    def __init__(self, connection: str, start: Start) -> None:
        self._connection = connection
        self._start = start
        self._wanted: set[str] = set()
        self._is_closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"syncs of {connection}")
        self._thread.start()

    def request(self, tables: Set[str]) -> None:
        """Asks for a sync that begins after now; returns at once."""
        with self._changed:
            self._wanted |= tables
            self._changed.notify()

    def close(self) -> None:
        """Waits for the sync that is running; one that has not begun is left to the schedule."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while tables := self._next():
            names = ", ".join(sorted(tables))
            code = self._start(self._connection, tables)
            if code:
                logger.error(
                    "The sync of %s (%s) failed with exit code %d. The next one reads what is "
                    "missing: invoiced-pipeline status",
                    names,
                    self._connection,
                    code,
                )
            else:
                logger.info("Synced %s (%s)", names, self._connection)

    def _next(self) -> Set[str]:
        """Waits for requests; returns nothing when it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._is_closed)
            wanted, self._wanted = self._wanted, set()
            return frozenset() if self._is_closed else wanted


def sync_in_a_process(connection: str, tables: Set[str]) -> int:
    """Runs `invoiced-pipeline sync --wait` in a process of its own, which ends with its memory."""
    options = ["--wait", "--connection", connection, "--select", ",".join(sorted(tables))]
    command = [sys.executable, "-m", "invoiced_pipeline.cli", "sync", *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)  # noqa: S603 - our own
    return done.returncode
