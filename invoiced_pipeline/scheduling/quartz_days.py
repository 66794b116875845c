"""On which days of a month a Quartz expression starts; the week runs from 1 = Sunday."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from invoiced_pipeline.scheduling.words import WEEKDAYS, enumerated, ordinal, runs

SATURDAY = 7


class DayRule(Protocol):
    """A day field of an expression."""

    def days(self, year: int, month: int) -> set[int]:
        """The days of that month."""
        ...

    def unix(self) -> tuple[str, str] | None:
        """Day of month and day of week as Dagster's cron has them; None where it cannot."""
        ...

    def describe(self) -> str:
        """The days in words; empty for all."""
        ...


def _weekday(year: int, month: int, day: int) -> int:
    return date(year, month, day).isoweekday() % 7 + 1


def _length(year: int, month: int) -> int:
    return monthrange(year, month)[1]


def _name(weekday: int) -> str:
    return WEEKDAYS[weekday - 1]


@dataclass(frozen=True, slots=True)
class DaysOfMonth:
    """Plain days; a month that does not have one goes without."""

    numbers: frozenset[int]

    def days(self, year: int, month: int) -> set[int]:
        """The days of that month."""
        return {day for day in self.numbers if day <= _length(year, month)}

    def unix(self) -> tuple[str, str]:
        """As Dagster's cron has them."""
        if len(self.numbers) == 31:
            return "*", "*"
        return ",".join(map(str, sorted(self.numbers))), "*"

    def describe(self) -> str:
        """In words."""
        if len(self.numbers) == 31:
            return ""
        return f"the {runs({day: ordinal(day) for day in self.numbers})} of the month"


@dataclass(frozen=True, slots=True)
class LastDay:
    """`L`, and `L-3`: so many days before the last, in months that long."""

    offset: int = 0

    def days(self, year: int, month: int) -> set[int]:
        """The days of that month."""
        day = _length(year, month) - self.offset
        return {day} if day >= 1 else set()

    def unix(self) -> tuple[str, str] | None:
        """As Dagster's cron has them."""
        return None if self.offset else ("L", "*")

    def describe(self) -> str:
        """In words."""
        if self.offset:
            plural = "s" if self.offset > 1 else ""
            return f"the day {self.offset} day{plural} before the last of the month"
        return "the last day of the month"


@dataclass(frozen=True, slots=True)
class NearestWeekday:
    """`15W`: the day, or the Monday to Friday nearest to it within the same month.

    Attributes:
        day: The day, or how `LW` and `L-3W` name it.
    """

    day: int | LastDay

    def days(self, year: int, month: int) -> set[int]:
        """The days of that month."""
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
        """Plain cron has none."""

    def describe(self) -> str:
        """In words."""
        if self.day == LastDay():
            return "the last weekday (Monday to Friday) of the month"
        named = self.day.describe() if isinstance(self.day, LastDay) else f"the {ordinal(self.day)}"
        return f"the weekday (Monday to Friday) nearest to {named}"


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Plain days of the week."""

    numbers: frozenset[int]

    def days(self, year: int, month: int) -> set[int]:
        """The days of that month."""
        every = range(1, _length(year, month) + 1)
        return {day for day in every if _weekday(year, month, day) in self.numbers}

    def unix(self) -> tuple[str, str]:
        """As Dagster's cron has them."""
        if len(self.numbers) == 7:
            return "*", "*"
        return "*", ",".join(str(number - 1) for number in sorted(self.numbers))

    def describe(self) -> str:
        """In words."""
        if len(self.numbers) == 7:
            return ""
        return runs({number: _name(number) for number in self.numbers})


@dataclass(frozen=True, slots=True)
class LastWeekday:
    """`6L`: the month's last Friday."""

    weekday: int

    def days(self, year: int, month: int) -> set[int]:
        """The days of that month."""
        return {max(Weekdays(frozenset({self.weekday})).days(year, month))}

    def unix(self) -> tuple[str, str]:
        """As Dagster's cron has it."""
        return "*", f"L{self.weekday - 1}"

    def describe(self) -> str:
        """In words."""
        return f"the last {_name(self.weekday)} of the month"


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """`6#3`: the month's third Friday; a month without a fifth one goes without."""

    weekday: int
    nth: int

    def days(self, year: int, month: int) -> set[int]:
        """The days of that month."""
        found = sorted(Weekdays(frozenset({self.weekday})).days(year, month))
        return set(found[self.nth - 1 : self.nth])

    def unix(self) -> tuple[str, str]:
        """As Dagster's cron has it."""
        return "*", f"{self.weekday - 1}#{self.nth}"

    def describe(self) -> str:
        """In words."""
        nth = enumerated([("first", "second", "third", "fourth", "fifth")[self.nth - 1]])
        return f"the {nth} {_name(self.weekday)} of the month"
