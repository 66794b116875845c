"""Failures on demand: by probability with a seed, or for exactly the next requests."""

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
"""What befalls a request.

`drop_connection` cuts before the request is carried out, `lose_response` after it. `rate5xx` fails
before anything is written, `fail_after_commit` answers 500 to a request that has been carried out;
the API's own 500 is stored under the idempotency key either way. The stalls hold the request until
`Faults.stalls` releases it: before it is carried out, or after the commit but before its answer is
stored under its idempotency key, when a repetition is carried out a second time. `replace_body`
carries the request out and answers with its status and `Faults.body`, as a broken gateway would.
"""

FAULTS: tuple[Fault, ...] = (
    "rate429",
    "rate5xx",
    "drop_connection",
    "lose_response",
    "truncate_body",
    "fail_after_commit",
)
"""Those that can also be drawn by chance."""


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
    """What goes wrong; change it at any time.

    Probabilities lie between 0 and 1 and are drawn in the order of requests from `seed`.
    """

    latency_ms: float = 0.0
    """Added to every request without holding the processor."""
    rate429: float = 0.0
    rate5xx: float = 0.0
    drop_connection: float = 0.0
    lose_response: float = 0.0
    truncate_body: float = 0.0
    fail_after_commit: float = 0.0
    status5xx: int = 500
    """500 is the API's own error and is stored for idempotent replays; 502 to 504 come from the
    gateway before it and are not."""
    body: bytes = b""
    """What `replace_body` answers with."""
    seed: int = 0
    stalls: HeldRequests = field(default_factory=HeldRequests)
    """Holds and releases the requests that stall."""
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
        """Let exactly the next matching requests fail.

        Args:
            fault: What happens to them.
            count: How many of them.
            skip: Matching requests to let pass first.
            method: Only requests with this verb.
            path: Only requests whose path starts so.
        """
        self._scheduled.append(_Scheduled(fault, count, skip, method, path))

    def clear(self) -> None:
        """Forget all scheduled failures, set every probability to 0, release what is held."""
        self._scheduled.clear()
        self.stalls.release()
        for fault in FAULTS:
            setattr(self, fault, 0.0)

    def next_fault(self, method: str, path: str) -> Fault | None:
        """The fault that befalls this request, if any."""
        for scheduled in list(self._scheduled):
            if scheduled.takes(method, path):
                return scheduled.fault
        self._scheduled = [each for each in self._scheduled if each.count > 0]
        for fault in FAULTS:
            probability = getattr(self, fault)
            if probability and self._random.random() < probability:
                return fault
        return None
