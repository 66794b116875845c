"""Unix cron as in crontab(5), parsed by croniter, like in Dagster."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from croniter import croniter
from croniter.croniter import CroniterBadDateError, CroniterError

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.scheduling.words import (
    MONTHS,
    WEEKDAYS,
    enumerated,
    ordinal,
    runs,
    times_of_day,
)

_FORMS = 'Accepted: minute, hour, day of month, month and day of week, such as "30 9 * * 1-5"'
_EVER = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_NAMES = {name[:3].upper() for name in (*MONTHS, *WEEKDAYS)}


@dataclass(frozen=True, slots=True)
class Unix:
    """A Unix expression. If it has days of the month and of the week, either is enough."""

    expression: str

    @classmethod
    def parse(cls, expression: str) -> "Unix":
        """Parses an expression.

        Raises:
            ConfigurationError: The expression is not valid, or is in another dialect.
        """
        fields = expression.upper().split()
        if len(fields) != 5:
            quartz = ' (six or seven are Quartz: dialect = "quartz")' if len(fields) > 5 else ""
            message = f"it has {counted(len(fields), 'field')}{quartz}. {_FORMS}"
            raise ConfigurationError(message)
        for field in fields:
            strange = set(re.findall(r"[^\d*,/-][A-Z]*", field)) - _NAMES
            if strange:
                message = f"{field!r}: Unix cron does not have {min(strange)!r}. {_FORMS}"
                raise ConfigurationError(message)
        found = cls(" ".join(fields))
        try:
            never = next(found.wall_times(_EVER), None) is None
        except (CroniterError, ValueError) as error:
            message = f"{error}. {_FORMS}"
            raise ConfigurationError(message) from error
        if never:
            message = "it never starts: no year has such a day. Choose other days or months"
            raise ConfigurationError(message)
        return found

    @property
    def _fields(self) -> list[list[Any]]:
        """Minutes, hours, days, months and weekdays (0 = Sunday); `["*"]` for every value."""
        return croniter.expand(self.expression)[0]

    @property
    def starts_every_hour(self) -> bool:
        """Whether every hour of the day has a start."""
        return self._fields[1] == ["*"]

    @property
    def times_of_day(self) -> set[tuple[int, int]]:
        """Hour and minute of every possible start."""
        minutes, hours, *_ = self._fields
        return set(product(_numbers(hours, 24), _numbers(minutes, 60)))

    def wall_times(self, since: datetime) -> Iterator[datetime]:
        """Yields the starts from `since` on, ascending; like `since`, without time zone."""
        starts = croniter(self.expression, since - timedelta(seconds=1))
        try:
            while True:
                yield starts.get_next(datetime)
        except CroniterBadDateError:  # there are no more
            return

    def describe(self) -> str:
        """Describes the expression in English."""
        minutes, hours, days, months, weekdays = self._fields
        words = times_of_day(_numbers(hours, 24), _numbers(minutes, 60))
        chosen = []
        if days != ["*"]:
            chosen.append(f"the {runs({day: ordinal(day) for day in days})} of the month")
        if weekdays != ["*"]:
            chosen.append(runs({day: WEEKDAYS[day] for day in weekdays}))
        words += f", on {enumerated(chosen, 'and also on')}" if chosen else ", every day"
        if months != ["*"]:
            words += f", in {runs({month: MONTHS[month - 1] for month in months})}"
        return words

    def unix_cron(self) -> str:
        """Returns the expression itself."""
        return self.expression


def _numbers(field: list[Any], size: int) -> list[int]:
    return list(range(size)) if field == ["*"] else sorted(field)
