"""From times on a wall clock to instants, also where daylight saving skips or repeats an hour.

The rules are Dagster's, so that a plain cron evaluated there means the same:

- A time that the clock skips (02:30 when 02:00 becomes 03:00) starts at the end of the gap.
- A time that comes twice (02:30 when 03:00 becomes 02:00) starts once, the second time.
- What starts in every hour of the day starts in every hour that passes: none is made up for a
  skipped one, and the repeated hour has its starts both times.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Protocol
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_DAGSTERS_HOURS = {1, 2, 3}
"""Dagster looks for skipped and repeated times in these hours of the day only (measured)."""


class Rule(Protocol):
    """Says at which times a clock on the wall shows a start, whatever its time zone."""

    @property
    def starts_every_hour(self) -> bool:
        """Whether each hour of a day has starts."""
        ...

    @property
    def times_of_day(self) -> set[tuple[int, int]]:
        """Hour and minute of all starts there can be."""
        ...

    def wall_times(self, since: datetime) -> Iterator[datetime]:
        """The starts from `since` on, ascending; without time zone, as `since`."""
        ...

    def describe(self) -> str:
        """The rule in words."""
        ...

    def unix_cron(self) -> str | None:
        """The five-field cron with just these starts; None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A moment at which a zone's clocks are put forward or back.

    Attributes:
        instant: When, UTC; the first minute that has the new offset.
        before: Offset from UTC until then.
        after: Offset from then on.
    """

    instant: datetime
    before: timedelta
    after: timedelta

    @property
    def is_seen_by_dagster(self) -> bool:
        """Whether Dagster's own evaluation treats the skipped or repeated times as this module."""
        low, high = sorted((self.before, self.after))
        hours = {(self.instant + low).hour, (self.instant + high - _MINUTE).hour}
        return hours <= _DAGSTERS_HOURS and self.instant.minute == 0

    def skips(self, times_of_day: set[tuple[int, int]]) -> bool:
        """Whether the clock never shows one of these hours and minutes on the day of the change."""
        skipped = range((self.after - self.before) // _MINUTE)
        times = (self.instant + self.before + number * _MINUTE for number in skipped)
        return any((time.hour, time.minute) in times_of_day for time in times)


@cache
def clock_changes(zone: ZoneInfo) -> tuple[ClockChange, ...]:
    """The changes of the years 2020 to 2040, which stand for those to come."""
    changes = []
    day, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC)
    while day < end:
        before, after = _offset(day, zone), _offset(day + _DAY, zone)
        if before != after:
            instant = _first_with(after, day, zone)
            changes.append(ClockChange(instant, before, after))
        day += _DAY
    return tuple(changes)


def instants(rule: Rule, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The starts later than `after`, ascending, UTC.

    Args:
        rule: The starts on the wall clock.
        zone: Where that clock hangs.
        after: An aware instant.
    """
    every_hour = rule.starts_every_hour
    last = after.astimezone(UTC)
    # A day earlier: the end of a gap, or a repeated hour, may belong to an earlier wall time.
    since = last.astimezone(zone).replace(tzinfo=None, fold=0) - _DAY
    for _, times in groupby(rule.wall_times(since), key=datetime.date):
        found = (_instants_of(time, zone, every_hour) for time in times)
        for instant in sorted(set().union(*found)):
            if instant > last:
                last = instant
                yield instant


def _instants_of(wall: datetime, zone: ZoneInfo, every_hour: bool) -> set[datetime]:  # noqa: FBT001
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first == second:
        return {first}
    if first < second:  # it comes twice
        return {first, second} if every_hour else {second}
    return set() if every_hour else {_first_with(_offset(first, zone), second, zone)}


def _first_with(offset: timedelta, start: datetime, zone: ZoneInfo) -> datetime:
    """The first minute from `start` on with that offset from UTC, which comes within a day."""
    low, high = 0, 24 * 60
    while low < high:
        middle = (low + high) // 2
        if _offset(start + middle * _MINUTE, zone) == offset:
            high = middle
        else:
            low = middle + 1
    return start + low * _MINUTE


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta(0)
