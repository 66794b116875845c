"""The emulator's time: real by default, held and moved by tests."""

import time

DAY = 86_400
"""Seconds."""


class Clock:
    """Whole epoch seconds, as the API stamps records.

    A clock given a start stands still until `set` or `advance` moves it; one without follows
    the machine, plus whatever it was advanced by.
    """

    def __init__(self, at: int | None = None) -> None:
        self._held = at
        self._offset = 0

    def now(self) -> int:
        """The current time in epoch seconds."""
        if self._held is not None:
            return self._held
        return int(time.time()) + self._offset

    def set(self, at: int) -> None:
        """Hold the clock at `at` (epoch seconds)."""
        self._held = at

    def advance(self, seconds: int) -> int:
        """Move the clock forward and return the new time in epoch seconds."""
        if self._held is None:
            self._offset += seconds
        else:
            self._held += seconds
        return self.now()
