"""The limit on requests in flight per API key, which a 429 lowers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from pydantic import SecretStr

from invoiced_pipeline.settings import REQUESTS_IN_FLIGHT

_SUCCESSES_TO_RECOVER = 50


class InFlightLimit:
    """Admits at most `capacity` requests at a time; thread-safe."""

    def __init__(self, capacity: int = REQUESTS_IN_FLIGHT) -> None:
        self._maximum = capacity
        self._capacity = capacity
        self._in_flight = 0
        self._successes = 0
        self._refused_together = 0
        self._changed = threading.Condition()

    @property
    def maximum(self) -> int:
        """How many requests are admitted while the API refuses none: the threads worth having."""
        return self._maximum

    @property
    def capacity(self) -> int:
        """How many requests are admitted now."""
        return self._capacity

    def restrict(self, maximum: int) -> None:
        """Admits no more than `maximum` requests from now on, if it admitted more."""
        with self._changed:
            self._maximum = min(self._maximum, maximum)
            self._capacity = min(self._capacity, maximum)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Holds one place during a request; waits if all are taken."""
        with self._changed:
            self._changed.wait_for(lambda: self._in_flight < self._capacity)
            self._in_flight += 1
        try:
            yield
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify()

    def lower(self) -> None:
        """Halves the capacity, to at least one, after a 429.

        Requests that were in flight together are refused together, and count as one refusal.
        """
        with self._changed:
            if self._refused_together > 0:
                self._refused_together -= 1
                return
            self._refused_together = self._in_flight
            self._capacity = max(1, self._capacity // 2)
            self._successes = 0

    def succeeded(self) -> None:
        """Counts an accepted request; many of them raise a lowered capacity by one."""
        if self._capacity == self._maximum and not self._refused_together:
            return
        with self._changed:
            self._successes += 1
            self._refused_together = max(0, self._refused_together - 1)
            if self._successes >= _SUCCESSES_TO_RECOVER and self._capacity < self._maximum:
                self._capacity += 1
                self._successes = 0
                self._changed.notify()


_shared: "WeakValueDictionary[tuple[str, SecretStr], InFlightLimit]" = WeakValueDictionary()
_shared_lock = threading.Lock()


def shared_limit(base_url: str, api_key: SecretStr, maximum: int) -> InFlightLimit:
    """Returns the one limit of all clients in this process that use a key.

    The API counts per key. If connections with the same key allow different numbers of requests,
    the smallest applies as long as one of their clients exists.

    Args:
        base_url: Scheme and host of the API.
        api_key: The key.
        maximum: Requests in flight that the caller allows.
    """
    with _shared_lock:
        limit = _shared.get((base_url, api_key))
        if limit is None:
            limit = _shared[base_url, api_key] = InFlightLimit(maximum)
        limit.restrict(maximum)
        return limit
