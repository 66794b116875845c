"""Counts of the requests made for one purpose."""

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts of requests made for one purpose, such as one table; thread-safe."""

    requests: int = 0
    retries: int = 0
    wait_seconds: float = 0.0
    """Seconds spent waiting for the API and before retries, summed over parallel requests."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, *, requests: int = 0, retries: int = 0, wait_seconds: float = 0.0) -> None:
        """Adds to the counts."""
        with self._lock:
            self.requests += requests
            self.retries += retries
            self.wait_seconds += wait_seconds
