"""The clock of a push; tests supply their own."""

import threading
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time, and waits."""

    def now(self) -> datetime:
        """Returns the current time, UTC."""
        ...

    def pause(self, seconds: float) -> None:
        """Waits for a number of seconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Returns the current time, UTC."""
        return datetime.now(UTC)

    def pause(self, seconds: float) -> None:
        """Waits for a number of seconds."""
        threading.Event().wait(seconds)
