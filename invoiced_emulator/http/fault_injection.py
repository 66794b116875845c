"""Faults on demand: with a probability and a seed, or for exactly the next requests."""

import random
from dataclasses import dataclass, field
from typing import Literal

from invoiced_emulator.http.held_requests import HeldRequests

Fault = Literal[
    "rate429",
    "rate5xx",
    "drop_connection",
    "lose_response",
    "truncate_body",
    "fail_after_commit",
    "stall_before_commit",
    "stall_after_commit",
    "replace_body",
]
"""What goes wrong with a request.

- `rate429`: too many requests in flight.
- `rate5xx`: fails before anything is written. `fail_after_commit`: fails after the commit. In both
  cases the API's own 500 is stored under the idempotency key.
- `drop_connection`: cuts the connection before the request is handled. `lose_response`: after it.
- `truncate_body`: sends half of the body. `replace_body`: sends `Faults.body` instead, with the
  handler's status, as a broken gateway does.
- `stall_before_commit`: holds the request before it is handled, until `Faults.stalls` releases it.
  `stall_after_commit`: holds it before its response is stored under the idempotency key, so that a
  retry meanwhile is handled a second time.
"""

FAULTS: tuple[Fault, ...] = (
    "rate429",
    "rate5xx",
    "drop_connection",
    "lose_response",
    "truncate_body",
    "fail_after_commit",
)
"""Faults that can also have a probability."""


@dataclass(slots=True)
class _Scheduled:
    fault: Fault
    count: int
    skip: int
    method: str | None
    path: str | None

    def takes(self, method: str, path: str) -> bool:
        fits = self.method in {None, method} and path.startswith(self.path or "")
        if not fits or self.count <= 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.count -= 1
        return True


@dataclass(slots=True, kw_only=True)
class Faults:
    """What goes wrong; may change at any time.

    Probabilities are between 0 and 1. The same `seed` and requests give the same faults.
    """

    latency_ms: float = 0.0
    """Added to every request; uses no processor time."""
    rate429: float = 0.0
    rate5xx: float = 0.0
    drop_connection: float = 0.0
    lose_response: float = 0.0
    truncate_body: float = 0.0
    fail_after_commit: float = 0.0
    status5xx: int = 500
    """500 is the API's own error, stored under the idempotency key; 502 to 504 come from the
    gateway in front of it and are not stored."""
    body: bytes = b""
    """Body of the response with `replace_body`."""
    seed: int = 0
    stalls: HeldRequests = field(default_factory=HeldRequests)
    """Holds and releases requests that stall."""
    _random: random.Random = field(init=False, repr=False)
    _scheduled: list[_Scheduled] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - reproducible, not secret

    def next(
        self,
        fault: Fault,
        count: int = 1,
        *,
        skip: int = 0,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Makes exactly the next matching requests fail.

        Args:
            fault: What goes wrong with them.
            count: How many of them.
            skip: How many matching requests pass before.
            method: Only requests with this verb.
            path: Only requests whose path starts with it.
        """
        self._scheduled.append(_Scheduled(fault, count, skip, method, path))

    def clear(self) -> None:
        """Removes scheduled faults, sets every probability to 0 and releases held requests."""
        self._scheduled.clear()
        self.stalls.release()
        for fault in FAULTS:
            setattr(self, fault, 0.0)

    def next_fault(self, method: str, path: str) -> Fault | None:
        """Returns the fault for this request, if any."""
        for scheduled in list(self._scheduled):
            if scheduled.takes(method, path):
                return scheduled.fault
        self._scheduled = [each for each in self._scheduled if each.count > 0]
        for fault in FAULTS:
            probability = getattr(self, fault)
            if probability and self._random.random() < probability:
                return fault
        return None
