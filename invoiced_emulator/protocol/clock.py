"""The emulator's clock: the machine's time, or a time that tests set."""

import time

DAY = 86_400
"""A day in seconds."""


class Clock:
    """Tells the time in whole epoch seconds.

    With a start time the clock stands still until `set` or `advance`. Without one it follows the
    machine's clock, plus what it was advanced by.
    """

    def __init__(self, at: int | None = None) -> None:
        self._held = at
        self._offset = 0

    def now(self) -> int:
        """Returns the current time in epoch seconds."""
        if self._held is not None:
            return self._held
        return int(time.time()) + self._offset

    def set(self, at: int) -> None:
        """Stops the clock at `at` (epoch seconds)."""
        self._held = at

    def advance(self, seconds: int) -> int:
        """Moves the clock forward and returns the new time in epoch seconds."""
        if self._held is None:
            self._offset += seconds
        else:
            self._held += seconds
        return self.now()
