"""Frequency and anchor: grids, and what daylight saving does to them."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from invoiced_pipeline_tests.scheduling.starts import schedule, starts, utc

FREQUENCIES = ["30m", *(f"{hours}h" for hours in range(1, 25))]


def test_by_default_every_hour() -> None:
    assert starts(schedule(), "2025-05-01T12:00", 3) == [
        "05-01 13:00",
        "05-01 14:00",
        "05-01 15:00",
    ]


def test_stitch_every_6_hours_from_an_anchor_that_is_to_come() -> None:
    found = starts(schedule(frequency="6h", anchor="09:00"), "2025-05-01T08:00")
    assert found == ["05-01 09:00", "05-01 15:00", "05-01 21:00", "05-02 03:00", "05-02 09:00"]


def test_stitch_every_24_hours_from_an_anchor_that_has_passed_today() -> None:
    found = starts(schedule(frequency="24h", anchor="09:00"), "2025-05-01T12:00", 3)
    assert found == ["05-02 09:00", "05-03 09:00", "05-04 09:00"]


def test_stitch_every_hour_from_half_past() -> None:
    found = starts(schedule(frequency="1h", anchor="14:30"), "2025-05-01T14:00", 4)
    assert found == ["05-01 14:30", "05-01 15:30", "05-01 16:30", "05-01 17:30"]


def test_stitch_stores_its_anchor_as_an_instant() -> None:
    """Nine in the morning in New York, as Stitch's API takes it, is a grid in UTC."""
    found = starts(schedule(frequency="6h", anchor="2018-05-01T09:00:00-04:00"), "2025-05-01T12:00")
    assert found == ["05-01 13:00", "05-01 19:00", "05-02 01:00", "05-02 07:00", "05-02 13:00"]


def test_a_frequency_that_does_not_divide_a_day_runs_on_across_midnight() -> None:
    grid = schedule(frequency="7h", anchor="2025-01-01T03:30:00Z")
    assert starts(grid, "2025-01-01T00:00") == [
        "01-01 03:30",
        "01-01 10:30",
        "01-01 17:30",
        "01-02 00:30",
        "01-02 07:30",
    ]
    assert grid.as_unix_crons() is None
    # A bare time is that of 1970-01-01.
    bare = starts(schedule(frequency="7h", anchor="03:30"), "1970-01-01T00:00", 4)
    assert bare == ["01-01 03:30", "01-01 10:30", "01-01 17:30", "01-02 00:30"]


def test_an_anchor_in_the_future_delays_nothing() -> None:
    found = starts(schedule(frequency="6h", anchor="2030-01-01T09:00:00Z"), "2025-05-01T08:00", 2)
    assert found == ["05-01 09:00", "05-01 15:00"]


@given(
    st.sampled_from(FREQUENCIES),
    st.datetimes(datetime(1970, 1, 2), datetime(2090, 1, 1)),  # noqa: DTZ001
    st.datetimes(datetime(1970, 1, 2), datetime(2090, 1, 1)),  # noqa: DTZ001
)
def test_every_start_lies_a_whole_number_of_times_from_the_anchor(
    text: str, anchor: datetime, after: datetime
) -> None:
    frequency = timedelta(minutes=30) if text == "30m" else timedelta(hours=int(text[:-1]))
    anchor, after = (each.replace(second=0, microsecond=0, tzinfo=UTC) for each in (anchor, after))
    is_kept = frequency >= timedelta(hours=1)
    grid = schedule(frequency=text, anchor=anchor.isoformat() if is_kept else None)
    found = list(islice(grid.starts_after(after), 30))
    assert after < found[0] <= after + frequency
    assert all(
        (start - (anchor if is_kept else utc("1970-01-01"))) % frequency == timedelta(0)
        for start in found
    )
    assert {late - early for early, late in pairwise(found)} == {frequency}
    assert all(grid.is_start(start) for start in found[:3])
    assert not grid.is_start(found[0] + timedelta(minutes=1))


# Berlin: on 2025-03-30 02:00 becomes 03:00; on 2025-10-26 03:00 becomes 02:00 (both 01:00 UTC).
_CHANGES: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "daily at a skipped time: when the gap ends": (
        {"frequency": "24h", "anchor": "02:30"},
        "2025-03-29T00:00",
        ["03-29 01:30", "03-30 01:00", "03-31 00:30"],
    ),
    "daily at a time that comes twice: the second": (
        {"frequency": "24h", "anchor": "02:30"},
        "2025-10-25T00:00",
        ["10-25 00:30", "10-26 01:30", "10-27 01:30"],
    ),
    "daily stays at its wall time": (
        {"frequency": "24h", "anchor": "09:00"},
        "2025-03-29T00:00",
        ["03-29 08:00", "03-30 07:00", "03-31 07:00"],
    ),
    "hourly in spring: every hour that passes": (
        {"frequency": "1h"},
        "2025-03-30T00:00",
        ["03-30 01:00", "03-30 02:00", "03-30 03:00"],
    ),
    "hourly in autumn: every hour that passes": (
        {"frequency": "1h"},
        "2025-10-25T23:00",
        ["10-26 00:00", "10-26 01:00", "10-26 02:00", "10-26 03:00"],
    ),
    "half-hourly in autumn, in order": (
        {"frequency": "30m"},
        "2025-10-25T23:30",
        ["10-26 00:00", "10-26 00:30", "10-26 01:00", "10-26 01:30", "10-26 02:00"],
    ),
    "two starts of a gap fall together": (
        {"frequency": "2h"},
        "2025-03-29T22:30",
        ["03-29 23:00", "03-30 01:00", "03-30 02:00", "03-30 04:00"],
    ),
    "seven hours on the wall clock": (
        {"frequency": "7h", "anchor": "2025-03-29T12:30"},
        "2025-03-29T11:00",
        ["03-29 11:30", "03-29 18:30", "03-30 01:00", "03-30 07:30"],
    ),
}


@pytest.mark.parametrize("case", _CHANGES)
def test_clock_changes(case: str) -> None:
    settings, after, expected = _CHANGES[case]
    found = starts(schedule(**settings, timezone="Europe/Berlin"), after, len(expected))
    assert found == expected


def test_a_day_that_a_zone_left_out() -> None:
    """Samoa had no 2011-12-30: that day's start comes when the gap ends, at the next midnight."""
    apia = schedule(frequency="24h", anchor="10:00", timezone="Pacific/Apia")
    found = starts(apia, "2011-12-29T00:00", 3)
    assert found == ["12-29 20:00", "12-30 10:00", "12-30 20:00"]


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("30m", 30),
        ("30 minutes", 30),
        ("60m", 60),
        ("180 min", 180),
        ("1440m", 1440),
        ("1h", 60),
        ("6 hours", 360),
        (" 24H ", 1440),
        ("1 hour", 60),
        ("7h", 420),
    ],
)
def test_frequency_in_its_forms(text: str, minutes: int) -> None:
    first, second = islice(schedule(frequency=text).starts_after(utc("2025-01-01")), 2)
    assert second - first == timedelta(minutes=minutes)


@pytest.mark.parametrize("value", ["1.5h", "90m", "0h", "25h", "1m", "15m", "6", 6, "", "h", "-1h"])
def test_other_frequencies_are_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="Accepted forms: 30m, or whole hours from 1h to 24h"):
        schedule(frequency=value)


@pytest.mark.parametrize(
    "value",
    [
        "9",
        "25:00",
        "9am",
        "03:30:15",
        "2025-01-31",
        "2025-02-30T03:30",
        "1969-01-01T00:00",
        "0001-01-01T00:00+01:00",
        "2025-01-31T03:30+01:00:30",
    ],
)
def test_other_anchors_are_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="Accepted forms: a time such as 03:30, or an ISO"):
        schedule(anchor=value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "Every hour, at minute 0 (UTC)"),
        ({"frequency": "30m"}, "Every 30 minutes, at minute 0 and 30 (UTC)"),
        ({"frequency": "1h", "anchor": "14:30"}, "Every hour, at minute 30 (UTC)"),
        (
            {"frequency": "6h", "anchor": "09:00"},
            "Every 6 hours, at 03:00, 09:00, 15:00 and 21:00 (UTC)",
        ),
        (
            {"frequency": "24h", "anchor": "9:05", "timezone": "Asia/Tokyo"},
            "Every day at 09:05 (Asia/Tokyo)",
        ),
        (
            {"frequency": "7h", "anchor": "2025-01-01T03:30:00Z", "timezone": "Asia/Tokyo"},
            "Every 7 hours, counted from 2025-01-01 12:30 (Asia/Tokyo)",
        ),
    ],
)
def test_in_words(settings: dict[str, str], words: str) -> None:
    assert schedule(**settings).describe() == words
