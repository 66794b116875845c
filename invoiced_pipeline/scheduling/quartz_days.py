"""The day fields of a Quartz expression; the week runs from 1 = Sunday to 7 = Saturday."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from invoiced_pipeline.scheduling.words import WEEKDAYS, enumerated, ordinal, runs

SATURDAY = 7


class DayRule(Protocol):
    """A day field of an expression."""

    def days(self, year: int, month: int) -> set[int]:
        """Returns the matching days of a month."""
        ...

    def unix(self) -> tuple[str, str] | None:
        """Returns day of month and day of week in Dagster's cron; None if it has no such form."""
        ...

    def describe(self) -> str:
        """Describes the days in English; empty if it is every day."""
        ...


def _weekday(year: int, month: int, day: int) -> int:
    return date(year, month, day).isoweekday() % 7 + 1


def _length(year: int, month: int) -> int:
    return monthrange(year, month)[1]


def _name(weekday: int) -> str:
    return WEEKDAYS[weekday - 1]


@dataclass(frozen=True, slots=True)
class DaysOfMonth:
    """Days by number; those that a month does not have are ignored."""

    numbers: frozenset[int]

    def days(self, year: int, month: int) -> set[int]:
        """Returns the matching days of a month."""
        return {day for day in self.numbers if day <= _length(year, month)}

    def unix(self) -> tuple[str, str]:
        """Returns day of month and day of week in Dagster's cron."""
        if len(self.numbers) == 31:
            return "*", "*"
        return ",".join(map(str, sorted(self.numbers))), "*"

    def describe(self) -> str:
        """Describes the days in English."""
        if len(self.numbers) == 31:
            return ""
        return f"the {runs({day: ordinal(day) for day in self.numbers})} of the month"


@dataclass(frozen=True, slots=True)
class LastDay:
    """`L`, the last day, or `L-3`, three days before it; nothing in a month that is too short."""

    offset: int = 0

    def days(self, year: int, month: int) -> set[int]:
        """Returns the matching days of a month."""
        day = _length(year, month) - self.offset
        return {day} if day >= 1 else set()

    def unix(self) -> tuple[str, str] | None:
        """Returns day of month and day of week in Dagster's cron; None with an offset."""
        return None if self.offset else ("L", "*")

    def describe(self) -> str:
        """Describes the days in English."""
        if self.offset:
            plural = "s" if self.offset > 1 else ""
            return f"the day {self.offset} day{plural} before the last of the month"
        return "the last day of the month"


@dataclass(frozen=True, slots=True)
class NearestWeekday:
    """`15W`: the day from Monday to Friday that is nearest to the 15th, within the same month.

    Attributes:
        day: The day of the month; a `LastDay` for `LW` and `L-3W`.
    """

    day: int | LastDay

    def days(self, year: int, month: int) -> set[int]:
        """Returns the matching days of a month."""
        length = _length(year, month)
        wanted = {self.day} if isinstance(self.day, int) else self.day.days(year, month)
        return {self._nearest(year, month, day, length) for day in wanted if day <= length}

    @staticmethod
    def _nearest(year: int, month: int, day: int, length: int) -> int:
        weekday = _weekday(year, month, day)
        if weekday == SATURDAY:
            return day - 1 if day > 1 else day + 2
        if weekday == 1:
            return day + 1 if day < length else day - 2
        return day

    def unix(self) -> None:
        """Returns None: Dagster's cron has no nearest weekday."""

    def describe(self) -> str:
        """Describes the days in English."""
        if self.day == LastDay():
            return "the last weekday (Monday to Friday) of the month"
        named = self.day.describe() if isinstance(self.day, LastDay) else f"the {ordinal(self.day)}"
        return f"the weekday (Monday to Friday) nearest to {named}"


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Days of the week by number."""

    numbers: frozenset[int]

    def days(self, year: int, month: int) -> set[int]:
        """Returns the matching days of a month."""
        every = range(1, _length(year, month) + 1)
        return {day for day in every if _weekday(year, month, day) in self.numbers}

    def unix(self) -> tuple[str, str]:
        """Returns day of month and day of week in Dagster's cron."""
        if len(self.numbers) == 7:
            return "*", "*"
        return "*", ",".join(str(number - 1) for number in sorted(self.numbers))

    def describe(self) -> str:
        """Describes the days in English."""
        if len(self.numbers) == 7:
            return ""
        return runs({number: _name(number) for number in self.numbers})


@dataclass(frozen=True, slots=True)
class LastWeekday:
    """`6L`: the last Friday of the month."""

    weekday: int

    def days(self, year: int, month: int) -> set[int]:
        """Returns the matching days of a month."""
        return {max(Weekdays(frozenset({self.weekday})).days(year, month))}

    def unix(self) -> tuple[str, str]:
        """Returns day of month and day of week in Dagster's cron."""
        return "*", f"L{self.weekday - 1}"

    def describe(self) -> str:
        """Describes the days in English."""
        return f"the last {_name(self.weekday)} of the month"


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """`6#3`: the third Friday of the month; nothing in a month without it."""

    weekday: int
    nth: int

    def days(self, year: int, month: int) -> set[int]:
        """Returns the matching days of a month."""
        found = sorted(Weekdays(frozenset({self.weekday})).days(year, month))
        return set(found[self.nth - 1 : self.nth])

    def unix(self) -> tuple[str, str]:
        """Returns day of month and day of week in Dagster's cron."""
        return "*", f"{self.weekday - 1}#{self.nth}"

    def describe(self) -> str:
        """Describes the days in English."""
        nth = enumerated([("first", "second", "third", "fourth", "fifth")[self.nth - 1]])
        return f"the {nth} {_name(self.weekday)} of the month"
