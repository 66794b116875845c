"""A grid of starts on the wall clock: frequency and anchor, as Stitch's Anchor Scheduling."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from invoiced_pipeline.scheduling.words import clock, enumerated, numbers

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Grid:
    """Starts at anchor + k * frequency for every integer k, even if that does not divide a day.

    A new schedule waits for the next start of the grid, and an anchor in the future delays nothing
    (Stitch's documentation).

    Attributes:
        frequency: 30 minutes, or 1 to 24 whole hours.
        anchor: A wall time, without time zone.
    """

    frequency: timedelta
    anchor: datetime

    @property
    def starts_every_hour(self) -> bool:
        """Whether every hour of the day has a start."""
        return self.frequency <= _HOUR

    @property
    def times_of_day(self) -> set[tuple[int, int]]:
        """Hour and minute of every possible start."""
        times = (self.anchor + k * self.frequency for k in range(48))  # then they repeat
        return {(time.hour, time.minute) for time in times}

    def wall_times(self, since: datetime) -> Iterator[datetime]:
        """Yields the starts from `since` on, ascending; like `since`, without time zone."""
        steps = -((self.anchor - since) // self.frequency)
        start = self.anchor + steps * self.frequency
        while True:
            yield start
            start += self.frequency

    def describe(self) -> str:
        """Describes the grid in English."""
        times = sorted(self.times_of_day)
        if self.starts_every_hour:
            minutes = numbers(sorted({minute for _, minute in times}))
            what = "Every 30 minutes" if self.frequency < _HOUR else "Every hour"
            return f"{what}, at minute {minutes}"
        hours = self.frequency // _HOUR
        if _DAY % self.frequency:
            return f"Every {hours} hours, counted from {self.anchor:%Y-%m-%d %H:%M}"
        at = enumerated([clock(*time) for time in times])
        return f"Every day at {at}" if hours == 24 else f"Every {hours} hours, at {at}"

    def unix_cron(self) -> str | None:
        """Returns the five-field cron with exactly these starts; None if there is none."""
        if _DAY % self.frequency:
            return None
        hours, minutes = (sorted(set(each)) for each in zip(*self.times_of_day, strict=True))
        every = "*" if self.starts_every_hour else ",".join(map(str, hours))
        return f"{','.join(map(str, minutes))} {every} * * *"
