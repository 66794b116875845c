"""Windows and coverage: the arithmetic behind what is read and what is not."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoiced_pipeline.windows import (
    FOREVER,
    Coverage,
    Window,
    from_epoch,
    to_epoch,
)

MOMENTS = range(60)
"""A small world, so that windows touch, overlap and hide each other."""

moments = st.integers(MOMENTS.start, MOMENTS.stop)
windows = st.builds(Window.from_epochs, moments, moments)
coverages = st.lists(windows, max_size=8).map(Coverage.of)


def seconds(*parts: Window) -> set[int]:
    return {moment for moment in MOMENTS for part in parts if from_epoch(moment) in part}


def assert_normal(parts: tuple[Window, ...]) -> None:
    """Ascending, apart from each other, none empty."""
    assert all(not part.is_empty for part in parts)
    assert all(left.end < right.start for left, right in pairwise(parts))


@given(st.lists(windows, max_size=10))
def test_coverage_keeps_every_second_of_its_windows(parts: list[Window]) -> None:
    coverage = Coverage.of(parts)
    assert_normal(coverage.windows)
    assert seconds(*coverage.windows) == seconds(*parts)


@given(coverages, windows)
def test_missing_and_covered_make_up_what_is_wanted(coverage: Coverage, wanted: Window) -> None:
    missing = coverage.missing(wanted)
    assert_normal(missing)
    covered = seconds(*coverage.windows)
    assert seconds(*missing) == seconds(wanted) - covered
    assert seconds(*missing) | (covered & seconds(wanted)) == seconds(wanted)


@given(coverages, windows, st.integers(0, 20))
def test_overlap_reaches_back_into_coverage_only_and_never_before_the_start(
    coverage: Coverage, wanted: Window, overlap: int
) -> None:
    plain = seconds(*coverage.missing(wanted))
    missing = coverage.missing(wanted, timedelta(seconds=overlap))
    reached = seconds(*missing)
    assert_normal(missing)
    assert plain <= reached <= seconds(wanted)
    starts = {
        to_epoch(gap.start)
        for gap in coverage.missing(wanted)
        if gap.start in {window.end for window in coverage.windows}
    }
    expected = {
        moment
        for moment in seconds(wanted)
        if any(start - overlap <= moment < start for start in starts)
    }
    assert reached == plain | expected


@given(coverages, windows)
def test_adding_and_removing_undo_each_other(coverage: Coverage, window: Window) -> None:
    before, apart = seconds(*coverage.windows), seconds(window)
    added, removed = coverage.add(window), coverage.remove(window)
    assert_normal(added.windows)
    assert_normal(removed.windows)
    assert seconds(*added.windows) == before | apart
    assert seconds(*removed.windows) == before - apart
    assert removed.add(window) == added


@given(coverages)
def test_state_round_trip(coverage: Coverage) -> None:
    assert Coverage.from_state(coverage.to_state()) == coverage


@given(windows, windows)
def test_intersection_is_what_both_share(left: Window, right: Window) -> None:
    shared = left.intersect(right)
    assert seconds(shared) == seconds(left) & seconds(right)
    assert seconds(right.intersect(left)) == seconds(shared)


@given(st.integers(-62_135_596_800, 253_402_300_799))
def test_epochs_round_trip(second: int) -> None:
    assert to_epoch(from_epoch(second)) == second


def test_open_end_survives_the_state() -> None:
    coverage = Coverage.of([Window(from_epoch(0), FOREVER)])
    assert Coverage.from_state(coverage.to_state()) == coverage


def test_first_sync_reads_from_the_start_without_overlap() -> None:
    wanted = Window(from_epoch(1000), FOREVER)
    assert Coverage().missing(wanted, timedelta(minutes=5)) == (wanted,)


def test_earlier_start_and_new_end_are_two_windows() -> None:
    coverage = Coverage.of([Window.from_epochs(5000, 9000)])
    missing = coverage.missing(Window(from_epoch(1000), FOREVER), timedelta(seconds=300))
    assert missing == (Window.from_epochs(1000, 5000), Window(from_epoch(8700), FOREVER))


def test_ends_of_coverage() -> None:
    coverage = Coverage.of([Window.from_epochs(50, 90), Window.from_epochs(10, 20)])
    assert (coverage.since, coverage.until) == (from_epoch(10), from_epoch(90))
    assert (Coverage().since, Coverage().until) == (None, None)
    assert str(Coverage()) == "nothing"
    assert str(coverage.remove(Window.from_epochs(0, 60))) == (
        "[1970-01-01 00:01:00, 1970-01-01 00:01:30) UTC"
    )


@pytest.mark.parametrize(
    "bounds",
    [
        (datetime(2024, 1, 1), datetime(2024, 1, 2, tzinfo=UTC)),  # noqa: DTZ001
        (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2)),  # noqa: DTZ001
    ],
)
def test_naive_bounds_are_refused(bounds: tuple[datetime, datetime]) -> None:
    with pytest.raises(ValueError, match="UTC"):
        Window(*bounds)


def test_other_offsets_mean_the_same_instants() -> None:
    chatham = timezone(timedelta(hours=12, minutes=45))
    window = Window(from_epoch(1000).astimezone(chatham), from_epoch(2000).astimezone(chatham))
    assert window == Window.from_epochs(1000, 2000)
    assert Coverage.of([window]).to_state() == [[1000, 2000]]


def test_fractions_of_a_second_round_down() -> None:
    half = timedelta(milliseconds=500)
    window = Window(from_epoch(10) + half, from_epoch(20) + half)
    assert Coverage.of([window]).to_state() == [[10, 20]]
