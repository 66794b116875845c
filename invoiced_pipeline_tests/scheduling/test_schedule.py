"""Schedules as a whole: what Dagster makes of them, and settings that contradict each other."""

# ruff: noqa: E501, PLR0917 - a table reads best with one case in a line; hypothesis gives arguments

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

import pytest
from dagster._utils.schedules import schedule_execution_time_iterator
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from invoiced_pipeline.scheduling.schedule import Schedule
from invoiced_pipeline_tests.scheduling.starts import between, quartz, schedule, starts, utc

ZONES = [
    *("UTC", "Etc/GMT+5", "Europe/Berlin", "Europe/London", "America/New_York", "Asia/Kolkata"),
    *("Asia/Kathmandu", "Australia/Adelaide", "America/St_Johns", "Australia/Lord_Howe"),
    *("America/Havana", "America/Santiago", "Atlantic/Azores", "Pacific/Chatham", "Africa/Cairo"),
]
PLACES = st.sampled_from(ZONES)
DAYS = st.sampled_from(["2025-03-08", "2025-03-29", "2025-04-05", "2025-10-04", "2025-10-25"])
"""Around changes of the clock, and when nothing happens elsewhere."""


def dagsters(crons: Sequence[str], timezone: str, after: datetime, until: datetime):
    """The ticks of plain crons as Dagster evaluates them."""
    ticks = schedule_execution_time_iterator(after.timestamp() + 1, list(crons), timezone)
    return [tick.astimezone(UTC) for tick in takewhile(lambda tick: tick <= until, ticks)]


def assert_dagster_agrees(schedule: Schedule, day: str) -> None:
    after = utc(day) - timedelta(hours=30)
    until = after + timedelta(days=3)
    expected = between(schedule, after, until)
    crons = schedule.as_unix_crons()
    if crons is not None:
        assert dagsters(crons, schedule.zone.key, after, until) == expected
    ticks = dagsters(schedule.ticks(), "UTC", after, until)
    assert set(expected) <= set(ticks)
    asked = ticks[-20:]
    assert [tick for tick in asked if schedule.is_start(tick)] == [
        start for start in expected if start >= asked[0]
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["30m", *(f"{hours}h" for hours in range(1, 25))]),
    st.integers(0, 23),
    st.sampled_from([0, 15, 30]),
    PLACES,
    DAYS,
)
def test_dagster_starts_grids_when_they_say(
    frequency: str, hour: int, minute: int, timezone: str, day: str
) -> None:
    anchor = None if frequency == "30m" else f"{hour:02}:{minute:02}"
    found = schedule(frequency=frequency, anchor=anchor, timezone=timezone)
    assert_dagster_agrees(found, day)


def numbers(low: int, high: int):
    some = st.lists(st.integers(low, high), min_size=1, max_size=3, unique=True)
    return st.one_of(st.just("*"), some.map(lambda each: ",".join(map(str, sorted(each)))))


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["0", "15", "0,30", "5,20,50", "*/20"]),
    numbers(0, 4),
    numbers(1, 31),
    numbers(0, 7),
    PLACES,
    DAYS,
)
def test_dagster_starts_unix_crons_when_they_say(
    minute: str, hour: str, day_of_month: str, weekday: str, timezone: str, day: str
) -> None:
    expression = f"{minute} {hour} {day_of_month} * {weekday}"
    found = schedule(cron=expression, dialect="unix", timezone=timezone)
    assert_dagster_agrees(found, day)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["0", "15", "0,30", "5/15"]),
    numbers(0, 4),
    st.sampled_from(
        [
            *(("*", "?"), ("L", "?"), ("8,29,30", "?"), ("LW", "?"), ("30W", "?"), ("L-2", "?")),
            *(("?", "*"), ("?", "L"), ("?", "1"), ("?", "FRI-MON"), ("?", "1L"), ("?", "7#5")),
            *(("?", "1#1"), ("?", "7L"), ("5/6", "?")),
        ]
    ),
    PLACES,
    DAYS,
)
def test_dagster_starts_quartz_crons_when_they_say(
    minute: str, hour: str, days: tuple[str, str], timezone: str, day: str
) -> None:
    day_of_month, weekday = days
    found = quartz(f"0 {minute} {hour} {day_of_month} * {weekday}", timezone)
    assert_dagster_agrees(found, day)


@pytest.mark.parametrize(
    ("settings", "crons"),
    [
        ({}, ["0 * * * *"]),
        ({"frequency": "30m"}, ["0,30 * * * *"]),
        ({"frequency": "6h", "anchor": "03:30"}, ["30 3,9,15,21 * * *"]),
        ({"frequency": "6h", "anchor": "03:30", "timezone": "Europe/Berlin"}, ["30 3,9,15,21 * * *"]),
        ({"frequency": "7h"}, None),
        ({"cron": "0 0 3 ? * TUE-THUR", "dialect": "quartz"}, ["0 3 * * 2,3,4"]),
        ({"cron": "0 0 3 L * ?", "dialect": "quartz"}, ["0 3 L * *"]),
        ({"cron": "0 0 3 ? * 6#3", "dialect": "quartz"}, ["0 3 * * 5#3"]),
        ({"cron": "0 0 3 ? 1,2 1L", "dialect": "quartz"}, ["0 3 * 1,2 L0"]),
        ({"cron": "0 * * * * ?", "dialect": "quartz"}, ["* * * * *"]),
        ({"cron": "0 0 3 15W * ?", "dialect": "quartz"}, None),
        ({"cron": "0 0 3 L-3 * ?", "dialect": "quartz"}, None),
        ({"cron": "0 0 3 * * ? 2026", "dialect": "quartz"}, None),
        ({"cron": "30 9 * * 1-5", "dialect": "unix"}, ["30 9 * * 1-5"]),
        ({"cron": "30 0 * * *", "dialect": "unix", "timezone": "America/Havana"}, None),
    ],
)  # fmt: skip
def test_exact_plain_crons(settings: dict[str, str], crons: list[str] | None) -> None:
    found = schedule(**settings)
    assert found.as_unix_crons() == crons
    assert found.as_unix_crons(settings.get("timezone", "UTC")) == crons
    assert found.as_unix_crons("Asia/Tokyo") is None


@pytest.mark.parametrize(
    ("settings", "ticks"),
    [
        ({"frequency": "7h", "anchor": "03:30"}, ["30 * * * *"]),
        ({"cron": "0 15 9 15W * ?", "dialect": "quartz"}, ["15 9 * * *"]),
        (
            {"cron": "0 15 9 15W * ?", "dialect": "quartz", "timezone": "Europe/Berlin"},
            ["15 7,8 * * *"],
        ),
        (  # 02:30 is skipped in spring, and then comes at 03:00
            {"cron": "0 30 2 LW * ?", "dialect": "quartz", "timezone": "Europe/Berlin"},
            ["0 1 * * *", "30 0,1 * * *"],
        ),
    ],
)
def test_ticks_are_few(settings: dict[str, str], ticks: list[str]) -> None:
    assert schedule(**settings).ticks() == ticks


def test_cron_wins_over_anchor_over_frequency() -> None:
    everything: dict[str, Any] = {"frequency": "24h", "anchor": "09:30"}
    everything |= {"cron": "0 15 8 * * ?", "dialect": "quartz"}
    assert starts(schedule(**everything), "2025-01-01", 2) == ["01-01 08:15", "01-02 08:15"]
    del everything["cron"]
    assert starts(schedule(**everything), "2025-01-01", 2) == ["01-01 09:30", "01-02 09:30"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"cron": "0 0 3 * * ?"}, "cron = '0 0 3 \\* \\* \\?' needs a dialect: dialect = "),
        ({"cron": "0 3 * * *", "dialect": "vixie"}, "'quartz' or 'unix'"),
        ({"frequency": "30m", "anchor": "09:00"}, "anchor = '09:00:00' cannot be combined with frequency"),
        ({"timezone": "Berlin"}, "'Berlin' is not a time zone. Accepted forms: UTC, or an IANA"),
        ({"timezone": "../etc/passwd"}, "is not a time zone"),
        ({"timezone": ""}, "is not a time zone"),
        ({"when_busy": "queue"}, "'skip' or 'wait'"),
        ({"every": "1h"}, "Extra inputs"),
    ],
)  # fmt: skip
def test_settings_that_contradict_each_other(settings: dict[str, str], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        schedule(**settings)
