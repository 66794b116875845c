"""Quartz cron: published examples, and four years of starts against the rules written out."""

# ruff: noqa: E501 - a table of examples reads best with one in a line

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline_tests.scheduling.starts import between, quartz, starts, utc

# What the documentation of Stitch, of Quartz (CronTrigger tutorial) and of Airbyte say in words.
_PUBLISHED = {
    "0 0 0 * * ?": (2025, "01-01 00:00|01-02 00:00", "At 00:00, every day"),
    "0 0 0 ? * 2-6": (2025, "01-01 00:00|01-02 00:00|01-03 00:00|01-06 00:00", "At 00:00, on Monday to Friday"),
    "0 0 0 ? * MON-FRI": (2025, "01-01 00:00|01-02 00:00|01-03 00:00|01-06 00:00", "At 00:00, on Monday to Friday"),
    "0 0 23 ? * SUN": (2025, "01-05 23:00|01-12 23:00", "At 23:00, on Sunday"),
    "0 0 23 ? * 1": (2025, "01-05 23:00|01-12 23:00", "At 23:00, on Sunday"),
    "0 0 0/12 * * ?": (2025, "01-01 00:00|01-01 12:00|01-02 00:00", "At 00:00 and 12:00, every day"),
    "0 0 3 ? * 3-5": (2025, "01-01 03:00|01-02 03:00|01-07 03:00", "At 03:00, on Tuesday to Thursday"),
    "0 0 3 ? * TUE-THUR": (2025, "01-01 03:00|01-02 03:00|01-07 03:00", "At 03:00, on Tuesday to Thursday"),
    "0 0 3 ? * TUES-THURS": (2025, "01-01 03:00|01-02 03:00|01-07 03:00", "At 03:00, on Tuesday to Thursday"),
    "0 0 3/6 * * ?": (2025, "01-01 03:00|01-01 09:00|01-01 15:00|01-01 21:00|01-02 03:00", "At 03:00, 09:00, 15:00 and 21:00, every day"),
    "0 0 0 ? * MON,WED,FRI": (2025, "01-01 00:00|01-03 00:00|01-06 00:00", "At 00:00, on Monday, Wednesday and Friday"),
    "0 0 0 ? * 2,4,6": (2025, "01-01 00:00|01-03 00:00|01-06 00:00", "At 00:00, on Monday, Wednesday and Friday"),
    "0 0 9-17/2 * * ?": (2025, "01-01 09:00|01-01 11:00|01-01 13:00|01-01 15:00|01-01 17:00|01-02 09:00", "At 09:00, 11:00, 13:00, 15:00 and 17:00, every day"),
    "0 0 19 ? * MON, WED, FRI": (2025, "01-01 19:00|01-03 19:00", "At 19:00, on Monday, Wednesday and Friday"),
    "0 0 12 ? * 6L": (2025, "01-31 12:00|02-28 12:00|03-28 12:00", "At 12:00, on the last Friday of the month"),
    "0 0 12 ? * FRIL": (2025, "01-31 12:00|02-28 12:00|03-28 12:00", "At 12:00, on the last Friday of the month"),
    "0 0 12 15W * ?": (2025, "01-15 12:00|02-14 12:00|03-14 12:00|04-15 12:00|05-15 12:00|06-16 12:00", "At 12:00, on the weekday (Monday to Friday) nearest to the 15th"),
    "0 0 12 1W * ?": (2025, "01-01 12:00|02-03 12:00|03-03 12:00", "At 12:00, on the weekday (Monday to Friday) nearest to the 1st"),
    "0 0 12 LW * ?": (2025, "01-31 12:00|02-28 12:00|03-31 12:00|04-30 12:00|05-30 12:00", "At 12:00, on the last weekday (Monday to Friday) of the month"),
    "0 0 12 ? * 4#2": (2025, "01-08 12:00|02-12 12:00", "At 12:00, on the second Wednesday of the month"),
    "0 0 12 ? * MON#1": (2025, "01-06 12:00|02-03 12:00", "At 12:00, on the first Monday of the month"),
    "0 0 12 ? * SAT#5": (2025, "03-29 12:00|05-31 12:00|08-30 12:00", "At 12:00, on the fifth Saturday of the month"),
    "0 0 12 ? * L": (2025, "01-04 12:00|01-11 12:00", "At 12:00, on Saturday"),
    "0 0 12 1/5 * ?": (2025, "01-01 12:00|01-06 12:00|01-11 12:00|01-16 12:00|01-21 12:00|01-26 12:00|01-31 12:00|02-01 12:00", "At 12:00, on the 1st, 6th, 11th, 16th, 21st, 26th and 31st of the month"),
    "0 15 10 ? * *": (2025, "01-01 10:15|01-02 10:15", "At 10:15, every day"),
    "0 15 10 * * ? *": (2025, "01-01 10:15|01-02 10:15", "At 10:15, every day"),
    "0 15 10 * * ? 2005": (2004, "01-01 10:15|01-02 10:15", "At 10:15, every day, in 2005"),
    "0 * 14 * * ?": (2025, "01-01 14:00|01-01 14:01", "Every minute of hour 14, every day"),
    "0 0/5 14 * * ?": (2025, "01-01 14:00|01-01 14:05|01-01 14:10", "Every 5 minutes of hour 14, every day"),
    "0 0-5 14 * * ?": (2025, "01-01 14:00|01-01 14:01|01-01 14:02|01-01 14:03|01-01 14:04|01-01 14:05|01-02 14:00", "At 14:00, 14:01, 14:02, 14:03, 14:04 and 14:05, every day"),
    "0 10,44 14 ? 3 WED": (2025, "03-05 14:10|03-05 14:44|03-12 14:10", "At 14:10 and 14:44, on Wednesday, in March"),
    "0 15 10 15 * ?": (2025, "01-15 10:15|02-15 10:15", "At 10:15, on the 15th of the month"),
    "0 15 10 L * ?": (2025, "01-31 10:15|02-28 10:15", "At 10:15, on the last day of the month"),
    "0 15 10 L-2 * ?": (2025, "01-29 10:15|02-26 10:15", "At 10:15, on the day 2 days before the last of the month"),
    "0 15 10 ? * 6L 2002-2005": (2001, "01-25 10:15|02-22 10:15", "At 10:15, on the last Friday of the month, in 2002 to 2005"),
    "0 15 10 ? * 6#3": (2025, "01-17 10:15|02-21 10:15", "At 10:15, on the third Friday of the month"),
    "0 11 11 11 11 ?": (2025, "11-11 11:11|11-11 11:11", "At 11:11, on the 11th of the month, in November"),
    "0 0 22-2 ? NOV-FEB *": (2025, "01-01 00:00|01-01 01:00|01-01 02:00|01-01 22:00|01-01 23:00", "At 00:00, 01:00, 02:00, 22:00 and 23:00, every day, in January, February, November and December"),
    "0 0 * * * ?": (2025, "01-01 00:00|01-01 01:00", "At minute 0 of every hour, every day"),
    "0 0 15 * * ?": (2025, "01-01 15:00|01-02 15:00", "At 15:00, every day"),
    "0 0 15 * * MON,TUE": (2025, "01-06 15:00|01-07 15:00|01-13 15:00", "At 15:00, on Monday and Tuesday"),
    "0 0 0,2,4,6 * * ?": (2025, "01-01 00:00|01-01 02:00|01-01 04:00|01-01 06:00|01-02 00:00", "At 00:00, 02:00, 04:00 and 06:00, every day"),
    "0 0 */15 * * ?": (2025, "01-01 00:00|01-01 15:00|01-02 00:00", "At 00:00 and 15:00, every day"),
}  # fmt: skip


@pytest.mark.parametrize("expression", _PUBLISHED)
def test_published_examples(expression: str) -> None:
    year, expected, words = _PUBLISHED[expression]
    listed = expected.split("|")
    assert starts(quartz(expression), f"{year - 1}-12-31T23:59", len(listed)) == listed
    assert quartz(expression).describe() == f"{words} (UTC)"


def test_years_that_are_over_have_no_starts() -> None:
    assert starts(quartz("0 15 10 ? * 6L 2002-2005"), "2005-12-30T10:15") == []


_REFUSED = {
    "0 0 0 * *": "5 fields",
    "0 3 * * 1-5": 'dialect = "unix"',
    "0 0 0 * * ? * *": "8 fields",
    "30 0 0 * * ?": "'30' cannot be the seconds",
    "* 0 0 * * ?": "'\\*' cannot be the seconds",
    "0 60 0 * * ?": "'60' cannot be the minute",
    "0 0 24 * * ?": "'24' cannot be the hour",
    "0 0 */24 * * ?": "a step is a number from 1 to 23",
    "0 0/0 0 * * ?": "a step is a number",
    "0 0 0 32 * ?": "'32' cannot be the day of month",
    "0 0 0 0 * ?": "'0' cannot be the day of month",
    "0 0 0 * 13 ?": "'13' cannot be the month. Accepted: 1-12 or JAN-DEC",
    "0 0 0 ? * 0": "'0' cannot be the day of week. Accepted: 1-7 or SUN-SAT",
    "0 0 0 ? * 8": "'8' cannot be the day of week",
    "0 0 0 ? * TU": "'TU' cannot be the day of week",
    "0 0 0 ? * TUX": "'TUX' cannot be the day of week",
    "0 0 0 ? * THURSO": "'THURSO' cannot be the day of week",
    "0 0 0 1 * MON": "one of them only. Accepted: \\? in one of the two",
    "0 0 0 * * *": "\\? in one of the two",
    "0 0 0 ? * ?": "no day is chosen",
    "0 0 ? * * ?": "'\\?' cannot be the hour",
    "0 0 0 1,L * ?": "L and W stand alone",
    "0 0 0 1W,15W * ?": "L and W stand alone",
    "0 0 0 1-5W * ?": "'1-5' cannot be the day of month",
    "0 0 0 L-31 * ?": "no day that far",
    "0 0 0 W * ?": "'' cannot be the day of month",
    "0 0 0 ? * 6#3,2#1": "stand alone",
    "0 0 0 ? * MON,6L": "stand alone",
    "0 0 0 ? * 6#6": "# is followed by a number from 1 to 5",
    "0 0 0 ? * #2": "'' cannot be the day of week",
    "0 0 0 30 2 ?": "it never starts",
    "0 0 0 29 2 ? 2025": "it never starts",
    "0 0 0 * * ? 2025-2024": "the range ends before it begins",
    "0 0 0 * * ? 1969": "'1969' cannot be the year",
    "0 0,,5 0 * * ?": "'' cannot be the minute",
    "0 5- 0 * * ?": "'' cannot be the minute",
    "0 ٣ 0 * * ?": "cannot be the minute",
    "@daily": "1 field",
    "": "0 fields",
}  # fmt: skip


@pytest.mark.parametrize("expression", _REFUSED)
def test_refused_with_field_and_accepted_forms(expression: str) -> None:
    with pytest.raises(ConfigurationError, match=_REFUSED[expression]) as caught:
        quartz(expression)
    assert f"cron: {expression!r} is not quartz cron" in str(caught.value)


NAMES = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEK = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


@st.composite
def values(draw: st.DrawFn, low: int, high: int, names: list[str]) -> tuple[str, set[int]]:
    """A field's text, and the values that it turns on, by the words of the documentation."""
    number = st.integers(low, high)
    is_named = draw(st.booleans()) if names else False

    def written(value: int) -> str:
        return names[value - low] if is_named else str(value)

    texts, found = [], set()
    for _ in range(draw(st.integers(1, 3))):
        first, last, step = draw(number), draw(number), draw(st.integers(1, high))
        kind = draw(st.sampled_from(["value", "range", "range/step", "from/step", "all/step"]))
        on = [first]
        while kind.startswith("range") and on[-1] != last:
            on.append(on[-1] + 1 if on[-1] < high else low)
        if kind.startswith(("from", "all")):
            on = list(range(first if kind == "from/step" else low, high + 1))
        span = {"value": written(first), "from/step": written(first), "all/step": "*"}
        text = span.get(kind, f"{written(first)}-{written(last)}")
        texts.append(f"{text}/{step}" if "/" in kind else text)
        found.update(on[::step] if "/" in kind else on)
    return ",".join(texts), found


def month_days(day: date) -> list[date]:
    return [day.replace(day=number) for number in range(1, monthrange(day.year, day.month)[1] + 1)]


def nearest(day: date, number: int) -> bool:
    """Whether `day` is the Monday to Friday nearest to the day of that number in its month."""
    month = month_days(day)
    if not 1 <= number <= len(month):
        return False
    weekdays = [each.day for each in month if each.isoweekday() <= 5]
    return day.day == min(weekdays, key=lambda each: abs(each - number))


@st.composite
def days(draw: st.DrawFn):
    """The two day fields, and whether a date is one of theirs."""
    kind = draw(st.sampled_from(["dom", "L", "L-n", "nW", "LW", "L-nW", "dow", "nL", "n#k", "SAT"]))
    number, offset = draw(st.integers(1, 31)), draw(st.integers(1, 30))
    week, nth = draw(st.integers(0, 6)), draw(st.integers(1, 5))
    named = WEEK[week] if draw(st.booleans()) else str(week + 1)
    dom, on_dom = draw(values(1, 31, []))
    dow, on_dow = draw(values(1, 7, WEEK))

    def length(day: date) -> int:
        return len(month_days(day))

    def is_that_weekday(day: date) -> bool:
        return day.isoweekday() % 7 == week

    return {
        "dom": (dom, "?", lambda day: day.day in on_dom),
        "L": ("L", "?", lambda day: (day + timedelta(days=1)).day == 1),
        "L-n": (f"L-{offset}", "?", lambda day: day.day == length(day) - offset),
        "nW": (f"{number}W", "?", lambda day: nearest(day, number)),
        "LW": ("LW", "?", lambda day: nearest(day, length(day))),
        "L-nW": (f"L-{offset}W", "?", lambda day: nearest(day, length(day) - offset)),
        "dow": ("?", dow, lambda day: day.isoweekday() % 7 + 1 in on_dow),
        "nL": (
            "?",
            f"{named}L",
            lambda day: is_that_weekday(day) and (day + timedelta(days=7)).month != day.month,
        ),
        "n#k": (
            "?",
            f"{named}#{nth}",
            lambda day: is_that_weekday(day) and (day.day - 1) // 7 == nth - 1,
        ),
        "SAT": ("?", "L", lambda day: day.isoweekday() == 6),
    }[kind]


def few(low: int, high: int):
    return values(low, high, []).filter(lambda field: len(field[1]) <= 4)


@settings(max_examples=100, deadline=None)
@given(few(0, 59), few(0, 23), days(), values(1, 12, NAMES))
def test_four_years_of_starts_are_what_the_documentation_says(minute, hour, day, month) -> None:
    dom, dow, is_on = day
    expression = f"0 {minute[0]} {hour[0]} {dom} {month[0]} {dow}"
    try:
        schedule = quartz(expression)
    except ConfigurationError:  # such as 31 February: the years below must agree
        schedule = None
    dates = [date(2023, 12, 31) + timedelta(days=number) for number in range(4 * 366)]
    expected = [
        datetime(each.year, each.month, each.day, at_hour, at_minute, tzinfo=UTC)
        for each in dates
        if each.month in month[1] and is_on(each)
        for at_hour in sorted(hour[1])
        for at_minute in sorted(minute[1])
    ]
    after = utc("2023-12-30T23:59")
    until = datetime(dates[-1].year, dates[-1].month, dates[-1].day, 23, 59, tzinfo=UTC)
    assert (between(schedule, after, until) if schedule else []) == expected


@given(st.text(alphabet="0123456789*/,-?LW#MONFRIJAN ", max_size=24))
def test_no_text_is_more_than_refused(text: str) -> None:
    try:
        schedule = quartz(f"0 {text}")
    except ConfigurationError:
        return
    assert starts(schedule, "1970-01-01", 1)
