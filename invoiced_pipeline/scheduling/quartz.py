"""Quartz cron, the dialect of Stitch's Advanced Scheduling and of Airbyte.

Six fields (seconds, minute, hour, day of month, month, day of week) and an optional seventh for
years. The rules are those of Quartz's CronTrigger documentation, also where its implementation
deviates silently: it ignores the step of `MON-FRI/2`, and lets `31W` run into the next month. No
Python library supports the whole dialect.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.scheduling.quartz_days import DayRule
from invoiced_pipeline.scheduling.quartz_fields import HOUR, MINUTE, MONTH, YEAR, day_rule
from invoiced_pipeline.scheduling.words import MONTHS, numbers, runs, times_of_day

_FORMS = (
    "Accepted: seconds (0), minute, hour, day of month, month, day of week and an optional year, "
    'such as "0 30 9 ? * MON-FRI"'
)
_EVER = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Quartz:
    """A Quartz expression.

    Attributes:
        minutes: 0 to 59; ascending, like all the numbers here.
        hours: 0 to 23.
        day_rule: The days of a month.
        months: 1 to 12.
        years: 1970 to 2099.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    day_rule: DayRule
    months: tuple[int, ...]
    years: tuple[int, ...]

    @classmethod
    def parse(cls, expression: str) -> "Quartz":
        """Parses an expression.

        Raises:
            ConfigurationError: The expression is not valid; the text names the field.
        """
        fields = re.sub(r"\s*,\s*", ",", expression.strip().upper()).split()
        if len(fields) not in {6, 7}:
            unix = ' (five are Unix cron: dialect = "unix")' if len(fields) == 5 else ""
            message = f"it has {counted(len(fields), 'field')}{unix}. {_FORMS}"
            raise ConfigurationError(message)
        seconds, minute, hour, day_of_month, month, day_of_week, *year = fields
        if not re.fullmatch("0{1,2}", seconds):
            message = f"{seconds!r} cannot be the seconds: starts are on whole minutes. Accepted: 0"
            raise ConfigurationError(message)
        found = cls(
            minutes=tuple(sorted(MINUTE.values(minute))),
            hours=tuple(sorted(HOUR.values(hour))),
            day_rule=day_rule(day_of_month, day_of_week),
            months=tuple(sorted(MONTH.values(month))),
            years=tuple(sorted(YEAR.values(year[0] if year else "*"))),
        )
        if next(found.wall_times(_EVER), None) is None:
            message = "it never starts: no year has such a day. Choose other days, months or years"
            raise ConfigurationError(message)
        return found

    @property
    def starts_every_hour(self) -> bool:
        """Whether every hour of the day has a start."""
        return len(self.hours) == 24

    @property
    def times_of_day(self) -> set[tuple[int, int]]:
        """Hour and minute of every possible start."""
        return set(product(self.hours, self.minutes))

    def wall_times(self, since: datetime) -> Iterator[datetime]:
        """Yields the starts from `since` on, ascending; like `since`, without time zone."""
        for year, month in product(self.years, self.months):
            if (year, month) < (since.year, since.month):
                continue
            for day in sorted(self.day_rule.days(year, month)):
                midnight = _EVER.replace(year=year, month=month, day=day)
                if midnight.date() < since.date():
                    continue
                for hour, minute in product(self.hours, self.minutes):
                    start = midnight.replace(hour=hour, minute=minute)
                    if start >= since:
                        yield start

    def describe(self) -> str:
        """Describes the expression in English."""
        words = times_of_day(self.hours, self.minutes)
        if days := self.day_rule.describe():
            words += f", on {days}"
        else:
            words += ", every day"
        if len(self.months) < 12:
            words += f", in {runs({month: MONTHS[month - 1] for month in self.months})}"
        if len(self.years) < YEAR.high - YEAR.low + 1:
            words += f", in {numbers(self.years)}"
        return words

    def unix_cron(self) -> str | None:
        """Returns the five-field cron with exactly these starts; None if there is none."""
        days = self.day_rule.unix()
        if days is None or len(self.years) < YEAR.high - YEAR.low + 1:
            return None
        day_of_month, day_of_week = days
        fields = (
            "*" if len(self.minutes) == 60 else ",".join(map(str, self.minutes)),
            "*" if self.starts_every_hour else ",".join(map(str, self.hours)),
            day_of_month,
            "*" if len(self.months) == 12 else ",".join(map(str, self.months)),
            day_of_week,
        )
        return " ".join(fields)
