"""Requests in flight per API key, and their limit."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from invoiced_emulator.http.authentication import Caller
from invoiced_emulator.protocol.errors import too_many_requests


class RequestSlots:
    """Counts the requests in flight.

    Attributes:
        peak: The most requests that were in flight at one time.
    """

    def __init__(self) -> None:
        self.peak = 0
        self._in_flight: Counter[str] = Counter()

    @contextmanager
    def taken(self, caller: Caller, limit: int, *, refuse: bool = False) -> Iterator[None]:
        """Counts a request as in flight while the block runs.

        Args:
            caller: Whose request it is; OAuth tokens are not limited.
            limit: Requests that one key may have in flight.
            refuse: Refuses this request, however few are in flight.

        Raises:
            ApiError: 429.
        """
        limited = caller.has_api_key and self._in_flight[caller.key] >= limit
        if limited or refuse:
            raise too_many_requests(limit)
        self._in_flight[caller.key] += 1
        self.peak = max(self.peak, self._in_flight.total())
        try:
            yield
        finally:
            self._in_flight[caller.key] -= 1
