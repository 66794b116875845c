"""Converts wall times to instants, also when daylight saving time skips or repeats an hour.

The rules are Dagster's, so that a cron means the same when Dagster evaluates it:

- A skipped time (02:30 when 02:00 becomes 03:00) starts at the end of the gap.
- A repeated time (02:30 when 03:00 becomes 02:00) starts once, the second time.
- A rule with starts in every hour of the day starts in every hour that passes: a skipped hour has
  none, and a repeated hour has them twice.
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
"""Hours of the day in which Dagster handles skipped and repeated times (measured)."""


class Rule(Protocol):
    """The wall times at which syncs start, in any time zone."""

    @property
    def starts_every_hour(self) -> bool:
        """Whether every hour of the day has a start."""
        ...

    @property
    def times_of_day(self) -> set[tuple[int, int]]:
        """Hour and minute of every possible start."""
        ...

    def wall_times(self, since: datetime) -> Iterator[datetime]:
        """Yields the starts from `since` on, ascending; like `since`, without time zone."""
        ...

    def describe(self) -> str:
        """Describes the rule in English."""
        ...

    def unix_cron(self) -> str | None:
        """Returns the five-field cron with exactly these starts; None if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class ClockChange:
    """An instant at which the clocks of a zone go forward or back.

    Attributes:
        instant: The first minute with the new offset, in UTC.
        before: The offset from UTC until then.
        after: The offset from then on.
    """

    instant: datetime
    before: timedelta
    after: timedelta

    @property
    def is_seen_by_dagster(self) -> bool:
        """Whether Dagster handles the skipped or repeated times as this module does."""
        low, high = sorted((self.before, self.after))
        hours = {(self.instant + low).hour, (self.instant + high - _MINUTE).hour}
        return hours <= _DAGSTERS_HOURS and self.instant.minute == 0

    def skips(self, times_of_day: set[tuple[int, int]]) -> bool:
        """Returns whether the change skips one of these hours and minutes."""
        skipped = range((self.after - self.before) // _MINUTE)
        times = (self.instant + self.before + number * _MINUTE for number in skipped)
        return any((time.hour, time.minute) in times_of_day for time in times)


@cache
def clock_changes(zone: ZoneInfo) -> tuple[ClockChange, ...]:
    """Returns the changes from 2020 to 2040, as a sample of all years."""
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
    """Yields the starts later than `after`, ascending, in UTC.

    Args:
        rule: The starts on the wall clock.
        zone: The time zone of the wall clock.
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
    if first < second:  # it is repeated
        return {first, second} if every_hour else {second}
    return set() if every_hour else {_first_with(_offset(first, zone), second, zone)}


def _first_with(offset: timedelta, start: datetime, zone: ZoneInfo) -> datetime:
    """Returns the first minute from `start` on with that UTC offset; it has to be within a day."""
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
