"""The time that outcomes are judged by; tests bring one of their own."""

import threading
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time, and waits."""

    def now(self) -> datetime:
        """The present instant, UTC."""
        ...

    def pause(self, seconds: float) -> None:
        """Returns after so many seconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC)

    def pause(self, seconds: float) -> None:
        """Returns after so many seconds."""
        threading.Event().wait(seconds)
