"""The fields of a Quartz expression: their values and syntax."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.scheduling.quartz_days import (
    SATURDAY,
    DayRule,
    DaysOfMonth,
    LastDay,
    LastWeekday,
    NearestWeekday,
    NthWeekday,
    Weekdays,
)
from invoiced_pipeline.scheduling.words import MONTHS, WEEKDAYS


@dataclass(frozen=True, slots=True)
class Field:
    """A field of numbers or names, with `,` `-` `*` and `/` as in Quartz's documentation.

    A range whose end is smaller than its start wraps around (`22-2`, `FRI-MON`), except for years.

    Attributes:
        name: The name in Quartz's documentation.
        low: The smallest value.
        high: The largest value.
        names: Names of the values from `low` on. Three or more letters of a name are enough:
            `TUE-THUR` (Stitch's example) means Tuesday to Thursday.
    """

    name: str
    low: int
    high: int
    names: Sequence[str] = ()

    def values(self, text: str) -> frozenset[int]:
        """Returns the values that a field's text selects.

        Raises:
            ConfigurationError: The text is not valid.
        """
        return frozenset().union(*(self._item(item) for item in text.split(",")))

    def value(self, text: str) -> int:
        """Returns the value of a number or a name.

        Raises:
            ConfigurationError: The text is neither, or out of range.
        """
        if text.isascii() and text.isdigit():
            if self.low <= int(text) <= self.high:
                return int(text)
        elif len(text) >= 3:
            for value, name in enumerate(self.names, self.low):
                if name.upper().startswith(text):
                    return value
        raise self.error(text)

    def error(self, text: str, reason: str = "") -> ConfigurationError:
        """Returns the error for a text that is not valid in this field."""
        forms = f"{self.low}-{self.high}"
        if self.names:
            forms += f" or {self.names[0][:3].upper()}-{self.names[-1][:3].upper()}"
        message = f"{text!r} cannot be the {self.name}"
        message += f": {reason}" if reason else ""
        return ConfigurationError(f"{message}. Accepted: {forms}, with , - * /")

    def _item(self, item: str) -> set[int]:
        span, slash, step = item.partition("/")
        first, dash, last = span.partition("-")
        if span == "*" or (not span and slash):
            start, end = self.low, self.high
        elif dash:
            start, end = self.value(first), self.value(last)
        else:
            start = self.value(span)
            end = self.high if slash else start
        size = self.high - self.low + 1
        if end < start:
            if self is YEAR:
                raise self.error(item, "the range ends before it begins")
            end += size
        return {
            (value - self.low) % size + self.low
            for value in range(start, end + 1, self._step(step) if slash else 1)
        }

    def _step(self, text: str) -> int:
        if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= self.high:
            raise self.error(f"/{text}", f"a step is a number from 1 to {self.high}")
        return int(text)


MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY_OF_MONTH = Field("day of month", 1, 31)
MONTH = Field("month", 1, 12, MONTHS)
DAY_OF_WEEK = Field("day of week", 1, 7, WEEKDAYS)
YEAR = Field("year", 1970, 2099)

_LAST = re.compile(r"L(?:-(\d{1,2}))?(W)?")


def day_rule(day_of_month: str, day_of_week: str) -> DayRule:
    """Returns the rule of the two day fields, one of which has to be `?`.

    `*` beside days in the other field restricts nothing, so it counts as `?`, as in an example of
    Airbyte's documentation. Quartz refuses days in both.

    Raises:
        ConfigurationError: A field is not valid, or both or neither of them name days.
    """
    texts = (day_of_month, day_of_week)
    if "?" not in texts:
        if "*" not in texts or texts == ("*", "*"):
            message = (
                f"day of month {day_of_month!r} and day of week {day_of_week!r}: Quartz reads one "
                "of them only. Accepted: ? in one of the two"
            )
            raise ConfigurationError(message)
        return _days_of_week(day_of_week) if day_of_month == "*" else _days_of_month(day_of_month)
    if texts == ("?", "?"):
        message = "both day fields are ?, so no day is chosen. Accepted: ? in one of the two"
        raise ConfigurationError(message)
    return _days_of_month(day_of_month) if day_of_week == "?" else _days_of_week(day_of_week)


def _days_of_month(text: str) -> DayRule:
    if last := _LAST.fullmatch(text):
        offset = int(last[1] or 0)
        if offset > 30:
            raise DAY_OF_MONTH.error(text, "a month has no day that far before its last")
        return NearestWeekday(LastDay(offset)) if last[2] else LastDay(offset)
    if "," in text and re.search("[LW]", text):
        reason = "L and W stand alone, never in a list or a range"
        raise DAY_OF_MONTH.error(text, reason)
    if text.endswith("W"):
        return NearestWeekday(DAY_OF_MONTH.value(text[:-1]))
    return DaysOfMonth(DAY_OF_MONTH.values(text))


def _days_of_week(text: str) -> DayRule:
    if text == "L":
        return Weekdays(frozenset({SATURDAY}))
    if "," in text and re.search(r"L(,|$)|#", text):
        raise DAY_OF_WEEK.error(text, "L and # stand alone, never in a list or a range")
    weekday, hash_sign, nth = text.partition("#")
    if hash_sign:
        if not re.fullmatch("[1-5]", nth):
            raise DAY_OF_WEEK.error(text, "# is followed by a number from 1 to 5")
        return NthWeekday(DAY_OF_WEEK.value(weekday), int(nth))
    if text.endswith("L"):
        return LastWeekday(DAY_OF_WEEK.value(text[:-1]))
    return Weekdays(DAY_OF_WEEK.values(text))
