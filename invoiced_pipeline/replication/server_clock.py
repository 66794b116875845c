"""Coverage that was recorded under a wrong server clock, which the next sync reads again.

Coverage ends at the server's clock (its `Date` header). If that clock was ahead, even for one sync,
the coverage includes hours in which nothing had happened yet, and changes made in them would never
be read. Two signs show it: coverage that ends after the server's present clock, and a server clock
that was ahead of this machine's clock then and is not as far ahead now. Reliable is the newest
`updated_at` that was read under that clock: records carry the database's time, not the header's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from invoiced_pipeline.windows import FOREVER, Window, from_epoch, to_epoch

_TOLERANCE = timedelta(minutes=5)
"""Clocks that differ by less agree: requests take time, and machines drift."""

WRONG_CLOCK = (
    "The server's clock (Date header) was ahead during an earlier sync, so its coverage ends too "
    "late. Everything since the newest record of that sync is read again"
)


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """The server's clock at the last read of a table or feed.

    Attributes:
        lead: How far the server's clock was ahead of this machine's.
        newest: The newest `updated_at` (UTC) read while the clocks agreed, or at the first read
            at which they did not; None if nothing was read.
    """

    lead: timedelta
    newest: datetime | None

    @classmethod
    def from_state(cls, state: Iterable[int | None]) -> Self:
        """Reads what `to_state` wrote."""
        lead, newest = state
        return cls(timedelta(seconds=lead or 0), None if newest is None else from_epoch(newest))

    def to_state(self) -> list[int | None]:
        """Returns lead in seconds and newest as an epoch second, as the pipeline's state has it."""
        newest = None if self.newest is None else to_epoch(self.newest)
        return [int(self.lead.total_seconds()), newest]


def record_clock(
    before: ClockRecord | None, *, clock: datetime, now: datetime, newest: datetime | None
) -> ClockRecord:
    """Returns the record to keep after a read.

    Args:
        before: The record of the read before.
        clock: The server's clock (UTC).
        now: This machine's clock (UTC).
        newest: The newest `updated_at` that was read (UTC).
    """
    lead = clock - now
    known = before.newest if before else None
    is_frozen = before is not None and lead > _TOLERANCE and before.lead > _TOLERANCE
    if not is_frozen and newest is not None and newest <= clock:
        known = max(newest, known or newest)
    return ClockRecord(lead, known)


def doubtful_window(
    until: datetime | None,
    record: ClockRecord | None,
    *,
    clock: datetime | None,
    now: datetime,
    earliest: datetime,
) -> Window | None:
    """Returns the window that was covered under a wrong clock; None if nothing is in doubt.

    Args:
        until: End of the coverage.
        record: The clock at the last read.
        clock: The server's present clock (UTC); None if it sends none.
        now: This machine's clock (UTC).
        earliest: Start of the window if there is no record.
    """
    if until is None or clock is None:
        return None
    lost_lead = record is not None and record.lead > _TOLERANCE
    lost_lead = lost_lead and record is not None and clock - now < record.lead - _TOLERANCE
    if until <= clock and not lost_lead:
        return None
    start = record.newest if record is not None and record.newest is not None else earliest
    return Window(min(start, until, clock), FOREVER)
