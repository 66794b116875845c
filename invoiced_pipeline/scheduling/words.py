"""Phrases for schedules in English: lists, ranges, times and ordinals."""

from collections.abc import Iterable, Sequence

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

_FEW = 6


def enumerated(items: Sequence[str], last: str = "and") -> str:
    """Joins items: `a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def numbers(values: Iterable[int]) -> str:
    """Lists numbers, with three or more in sequence as a range: `1, 2 and 5 to 9`."""
    return runs({value: str(value) for value in values})


def runs(names: dict[int, str]) -> str:
    """Lists the names of numbers, with three or more in sequence as a range: `Monday to Friday`."""
    parts: list[str] = []
    run: list[int] = []
    for value in [*sorted(names), None]:
        if run and value != run[-1] + 1:
            ends = [names[run[0]], names[run[-1]]]
            parts += [" to ".join(ends)] if len(run) > 2 else [names[each] for each in run]
            run = []
        if value is not None:
            run.append(value)
    return enumerated(parts)


def ordinal(number: int) -> str:
    """Formats an ordinal: `1st`, `2nd`, `15th`."""
    suffixes = {1: "st", 2: "nd", 3: "rd"}
    suffix = "th" if number in {11, 12, 13} else suffixes.get(number % 10, "th")
    return f"{number}{suffix}"


def clock(hour: int, minute: int) -> str:
    """Formats a time of day: `09:30`."""
    return f"{hour:02}:{minute:02}"


def times_of_day(hours: Sequence[int], minutes: Sequence[int]) -> str:
    """Describes the starts of a day: each of `minutes` in each of `hours`, both ascending."""
    if len(hours) * len(minutes) <= _FEW:
        return "At " + enumerated([clock(hour, minute) for hour in hours for minute in minutes])
    every = "every hour" if len(hours) == 24 else f"hour {numbers(hours)}"
    step = minutes[1] - minutes[0] if len(minutes) > 1 else 60
    if len(minutes) > 2 and tuple(minutes) == tuple(range(minutes[0], 60, step)):
        what = "Every minute" if step == 1 else f"Every {step} minutes"
        return f"{what} of {every}" + (f", from minute {minutes[0]}" if minutes[0] else "")
    return f"At minute {numbers(minutes)} of {every}"
