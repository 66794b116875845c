"""Half-open windows of time, and coverage: the windows whose records have been read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeGuard

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
"""End of an open window: all records changed since its start, up to the newest."""


FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
"""The years 1 to 9999, the range of Python's `datetime`."""


EARLIEST_SECOND = -62_198_755_200
"""The start of the year -1: MySQL's zero date (0000-00-00) is later, in every time zone."""


def is_storable(seconds: float | Decimal) -> bool:
    """Returns whether a timestamp column can hold `seconds`: years 1 to 9999, or the zero date."""
    return EARLIEST_SECOND <= seconds <= LAST_SECOND


def is_beyond_calendar(seconds: int) -> bool:
    """Returns whether `seconds` since 1970 lie after the year 9999."""
    return seconds > LAST_SECOND


def is_instant(seconds: int | None) -> TypeGuard[int]:
    """Returns whether `seconds` since 1970 lie in the years 1 to 9999."""
    return seconds is not None and FIRST_SECOND <= seconds <= LAST_SECOND


def from_epoch(seconds: int) -> datetime:
    """Returns the UTC instant of `seconds` since 1970."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def to_epoch(instant: datetime) -> int:
    """Returns whole seconds since 1970, rounded down: the API has no fractions."""
    return int(instant.timestamp() // 1)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The instants from `start` up to, not including, `end`; both UTC.

    Raises:
        ValueError: An instant is naive.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            msg = f"window bounds must be UTC-aware: {self.start!r} to {self.end!r}"
            raise ValueError(msg)

    @classmethod
    def from_epochs(cls, start: int, end: int) -> "Window":
        """Returns the window between two epoch seconds."""
        return cls(from_epoch(start), from_epoch(end))

    @property
    def is_empty(self) -> bool:
        """Whether no instant lies in the window."""
        return self.start >= self.end

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def __str__(self) -> str:
        return f"[{self.start:%Y-%m-%d %H:%M:%S}, {self.end:%Y-%m-%d %H:%M:%S}) UTC"

    def intersect(self, other: "Window") -> "Window":
        """Returns the part that both windows share; an empty window if there is none."""
        start = max(self.start, other.start)
        return Window(start, max(start, min(self.end, other.end)))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Disjoint, ascending windows of `updated_at` that have been read completely."""

    windows: tuple[Window, ...] = ()

    @classmethod
    def of(cls, windows: Iterable[Window]) -> "Coverage":
        """Sorts windows, joins overlapping and adjacent ones, and drops empty ones."""
        joined: list[Window] = []
        for window in sorted(window for window in windows if not window.is_empty):
            if joined and window.start <= joined[-1].end:
                last = joined.pop()
                window = Window(last.start, max(last.end, window.end))  # noqa: PLW2901
            joined.append(window)
        return cls(tuple(joined))

    @classmethod
    def from_state(cls, state: Sequence[Sequence[int]]) -> "Coverage":
        """Reads what `to_state` wrote."""
        return cls.of(Window.from_epochs(start, end) for start, end in state)

    def to_state(self) -> list[list[int]]:
        """Returns pairs of epoch seconds, as the pipeline's state keeps them."""
        return [[to_epoch(window.start), to_epoch(window.end)] for window in self.windows]

    def __str__(self) -> str:
        return ", ".join(map(str, self.windows)) or "nothing"

    @property
    def since(self) -> datetime | None:
        """Start of the earliest window."""
        return self.windows[0].start if self.windows else None

    @property
    def until(self) -> datetime | None:
        """End of the latest window."""
        return self.windows[-1].end if self.windows else None

    def add(self, *windows: Window) -> "Coverage":
        """Returns this coverage with `windows` added."""
        return Coverage.of((*self.windows, *windows))

    def remove(self, window: Window) -> "Coverage":
        """Returns this coverage without `window`."""
        kept: list[Window] = []
        for covered in self.windows:
            kept.append(Window(covered.start, max(covered.start, min(covered.end, window.start))))
            kept.append(Window(min(covered.end, max(covered.start, window.end)), covered.end))
        return Coverage.of(kept)

    def missing(self, wanted: Window, overlap: timedelta = timedelta(0)) -> tuple[Window, ...]:
        """Returns the parts of `wanted` that are not covered, in order.

        A part that begins where coverage ends reaches back by `overlap`: a record becomes visible
        when its transaction commits, and its `updated_at` is earlier than that.
        """
        gaps = Coverage.of((wanted,))
        for covered in self.windows:
            gaps = gaps.remove(covered)
        ends = {covered.end for covered in self.windows}
        reached = (
            Window(max(wanted.start, gap.start - overlap), gap.end) if gap.start in ends else gap
            for gap in gaps.windows
        )
        return Coverage.of(reached).windows
