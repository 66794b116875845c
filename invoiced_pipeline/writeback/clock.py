"""The clock that decides when a request can no longer be running; tests pass their own."""

import threading
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time, and waits."""

    def now(self) -> datetime:
        """Returns the current time, UTC."""
        ...

    def pause(self, seconds: float) -> None:
        """Waits for that many seconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Returns the current time, UTC."""
        return datetime.now(UTC)

    def pause(self, seconds: float) -> None:
        """Waits for that many seconds."""
        threading.Event().wait(seconds)
