"""Frequency and anchor: a grid of starts on the wall clock (Stitch's Anchor Scheduling)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from invoiced_pipeline.scheduling.words import clock, enumerated, numbers

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Grid:
    """Starts at anchor + k * frequency, for every whole k, also where that does not divide a day.

    The first start after any moment is the next one of the grid, so possibly not at once, and an
    anchor that lies in the future delays nothing (Stitch's documentation).

    Attributes:
        frequency: 30 minutes, or 1 to 24 whole hours.
        anchor: A time on the wall clock, without time zone.
    """

    frequency: timedelta
    anchor: datetime

    @property
    def starts_every_hour(self) -> bool:
        """Whether each hour of a day has starts."""
        return self.frequency <= _HOUR

    @property
    def times_of_day(self) -> set[tuple[int, int]]:
        """Hour and minute of all starts there can be."""
        times = (self.anchor + k * self.frequency for k in range(48))  # then a grid repeats
        return {(time.hour, time.minute) for time in times}

    def wall_times(self, since: datetime) -> Iterator[datetime]:
        """The starts from `since` on, ascending; without time zone, as `since`."""
        steps = -((self.anchor - since) // self.frequency)
        start = self.anchor + steps * self.frequency
        while True:
            yield start
            start += self.frequency

    def describe(self) -> str:
        """The grid in words."""
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
        """The five-field cron with just these starts; None where it does not divide a day."""
        if _DAY % self.frequency:
            return None
        hours, minutes = (sorted(set(each)) for each in zip(*self.times_of_day, strict=True))
        every = "*" if self.starts_every_hour else ",".join(map(str, hours))
        return f"{','.join(map(str, minutes))} {every} * * *"
