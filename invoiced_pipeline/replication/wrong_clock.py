"""Coverage that rests on a wrong server clock: found by the next sync, and read again.

Coverage ends where the server's clock was (`Date`), so a clock that is ahead, if only for one sync,
covers hours in which nothing has happened yet. Whatever changes in them would never be read. Two
things show it: coverage that ends after the server's present clock, and a server's clock that was
ahead of this machine's then, and is not as far ahead now. What can be relied on is the newest
`updated_at` seen under that clock: records carry the database's time, not the header's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from invoiced_pipeline.windows import FOREVER, Window, from_epoch, to_epoch

_TOLERANCE = timedelta(minutes=5)
"""Clocks that differ by less agree: requests take their time, and machines drift."""

WRONG_CLOCK = (
    "What was read before ends after the server's present time, or was read while its clock was "
    "ahead: the Date header was wrong then. Everything since the newest record of that time is "
    "read again"
)


@dataclass(frozen=True, slots=True)
class ClockMemory:
    """Under which clock something was read, and what is certain of it.

    Attributes:
        lead: How far the server's clock was ahead of this machine's.
        newest: The newest `updated_at` (UTC) seen while the clocks agreed, or when they first did
            not; None where nothing was seen.
    """

    lead: timedelta
    newest: datetime | None

    @classmethod
    def from_state(cls, state: Iterable[int | None]) -> Self:
        """Reads what `to_state` wrote."""
        lead, newest = state
        return cls(timedelta(seconds=lead or 0), None if newest is None else from_epoch(newest))

    def to_state(self) -> list[int | None]:
        """Seconds, and an epoch second, as kept in the pipeline's state."""
        newest = None if self.newest is None else to_epoch(self.newest)
        return [int(self.lead.total_seconds()), newest]


def remember(
    before: ClockMemory | None, *, clock: datetime, now: datetime, newest: datetime | None
) -> ClockMemory:
    """What is remembered of a reading.

    Args:
        before: What was remembered.
        clock: The server's clock (UTC).
        now: This machine's (UTC).
        newest: The newest `updated_at` that was read (UTC).
    """
    lead = clock - now
    known = before.newest if before else None
    is_frozen = before is not None and lead > _TOLERANCE and before.lead > _TOLERANCE
    if not is_frozen and newest is not None and newest <= clock:
        known = max(newest, known or newest)
    return ClockMemory(lead, known)


def doubtful(
    until: datetime | None,
    memory: ClockMemory | None,
    *,
    clock: datetime | None,
    now: datetime,
    earliest: datetime,
) -> Window | None:
    """The window that was taken for read under a wrong clock; None where there is no doubt.

    Args:
        until: Where what was read ends.
        memory: Under which clock it was.
        clock: The server's present clock (UTC); None where it shows none.
        now: This machine's (UTC).
        earliest: From when on to doubt where nothing is remembered.
    """
    if until is None or clock is None:
        return None
    lost_lead = memory is not None and memory.lead > _TOLERANCE
    lost_lead = lost_lead and memory is not None and clock - now < memory.lead - _TOLERANCE
    if until <= clock and not lost_lead:
        return None
    start = memory.newest if memory is not None and memory.newest is not None else earliest
    return Window(min(start, until, clock), FOREVER)
