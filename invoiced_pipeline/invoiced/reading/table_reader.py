"""Reads one table's windows, in the way that its endpoint allows."""

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.appended import read_appended
from invoiced_pipeline.invoiced.reading.by_page_number import read_by_number
from invoiced_pipeline.invoiced.reading.filtered_list import FilteredList
from invoiced_pipeline.invoiced.reading.pages import LAG, Page, Stamp, check_order
from invoiced_pipeline.invoiced.reading.per_parent import PerParentReader, Visits
from invoiced_pipeline.invoiced.reading.read_ahead import ReadAhead
from invoiced_pipeline.invoiced.reading.window_walk import WindowWalk
from invoiced_pipeline.windows import (
    Window,
    from_epoch,
    is_beyond_calendar,
    is_instant,
    to_epoch,
)

MAX_CLOCK_ERROR = timedelta(days=1)
"""No clock is wrong by more: a window that ended earlier needs no server clock."""


@dataclass(slots=True)
class TableReader:
    """Reads a table's records whose `updated_at` lies in `windows`; iterate `pages` once.

    Attributes:
        client: Where to read.
        table: What to read.
        windows: Disjoint and ascending; an end of `FOREVER` means up to the newest record.
        executor: Runs requests in parallel.
        tally: Counts requests.
        visits: Which parents to ask, if the table is listed per parent.
    """

    client: InvoicedClient
    table: Table
    windows: tuple[Window, ...]
    executor: Executor
    tally: Tally = field(default_factory=Tally)
    visits: Visits = field(default_factory=Visits)
    _children: PerParentReader | None = None
    _walk: WindowWalk | None = None
    _numbered: ReadAhead | None = None
    _first_clock: datetime | None = None
    _is_answered: bool = False
    _newest: int | None = None

    def begin(self) -> None:
        """Sends the first requests, so that they run while other tables are read."""
        if self.table.listing != "windowed":
            self._numbered = ReadAhead(self._in_order()) if self.windows else None
            return
        self._walk = WindowWalk(self.client, self.table, self.windows, self.executor, self.tally)
        self._walk.begin()

    def pause(self) -> bool:
        """Requests no more pages; returns whether the rest can be read after a pause by now.

        So a page that is requested after a pause shows no older version of a record than a page
        taken before it. Lists that no window walk can read are requested in order anyway.
        """
        if self._walk is not None:
            return self._walk.pause()
        return self._numbered is not None and not self._numbered.has_ended()

    def resume(self) -> None:
        """Requests pages again."""
        if self._walk is not None:
            self._walk.resume()

    def unread(self) -> tuple[Window, ...]:
        """Returns the parts of the windows that are not read yet: all, if no walk reads them."""
        return self.windows if self._walk is None else self._walk.unread()

    def pages(self) -> Iterator[Page | None]:
        """Yields pages in no particular order, with unwanted records marked to skip.

        Yields None while no page has arrived, so that the caller can do something else.
        """
        for page in self._pages():
            if page is None:
                yield None
                continue
            seconds = [stamp.second for stamp in page.stamps]
            known = [second for second in seconds if is_instant(second)]
            self._newest = max([*known, self._newest or 0]) if known else self._newest
            yield page

    @property
    def expected_parents(self) -> int | None:
        """How many parents are asked; None while that is not known, or if there are none."""
        return self._children.expected if self._children is not None else None

    @property
    def parents_clock(self) -> datetime | None:
        """The server's clock (UTC) when it began to ask parents; None if that is not known."""
        return self._children.clock if self._children is not None else None

    @property
    def warning(self) -> str | None:
        """Why changes may be missed; None if nothing is."""
        return self._children.warning if self._children is not None else None

    @property
    def clock(self) -> datetime | None:
        """The server's clock (UTC) at the first response; None if it has none."""
        return self._first_clock if self._walk is None else self._walk.server_time

    @property
    def newest(self) -> datetime | None:
        """The newest valid `updated_at` (UTC) that was read; None if there is none."""
        return from_epoch(self._newest) if is_instant(self._newest) else None

    def covered(self, now: datetime | None = None) -> tuple[Window, ...]:
        """Returns the parts of `windows` that were read completely; call it after `pages` ended.

        Args:
            now: The local clock (UTC), used only if the server sends none.
        """
        now = now or datetime.now(UTC)
        bound = self.clock
        has_clock = bound is not None
        # Parents are asked for a while: what their records show is later than the first of them.
        newest = self.newest if self._children is None else self._children.newest
        if bound is None and newest is not None:
            bound = min(from_epoch(to_epoch(now)), newest)
        covered = []
        for window in self.windows:
            end = window.start if bound is None else min(window.end, bound - LAG)
            if not has_clock and window.end <= now - MAX_CLOCK_ERROR:
                end = window.end
            covered.append(Window(window.start, max(window.start, end)))
        return tuple(window for window in covered if not window.is_empty)

    def _pages(self) -> Iterator[Page | None]:
        if self._walk is not None:
            yield from self._walk.pages()
        elif self._numbered is not None:
            yield from self._numbered

    def _in_order(self) -> Iterator[Page]:
        """Yields the pages of a list that no window walk can read."""
        if self.table.listing == "per_parent":
            yield from self._per_parent()
            return
        for page in self._listed():
            if not self._is_answered:
                self._first_clock, self._is_answered = page.server_time, True
            yield page

    def _listed(self) -> Iterator[Page]:
        match self.table.listing:
            case "filtered":
                return self._filtered()
            case "appended":
                return self._appended()
            case _:
                return self._by_number()

    def _filtered(self) -> Iterator[Page]:
        listed = FilteredList(self.client, self.table, self.executor, self.tally)
        for window in self.windows:
            for page in listed.pages(window):
                yield self._only_wanted(page, self.windows if listed.is_whole else (window,))
            if listed.is_whole:
                return

    def _appended(self) -> Iterator[Page]:
        for window in self.windows:
            pages = read_appended(self.client, self.table, window, self.executor, self.tally)
            for page in pages:
                yield self._only_wanted(page, self.windows)

    def _per_parent(self) -> Iterator[Page]:
        self._children = reader = PerParentReader(
            self.client, self.table, self.visits, self.executor, self.tally
        )
        wanted = self.windows if self.visits.wanted is None else self.visits.wanted
        for page in reader.pages():
            yield self._only_wanted(page, wanted)
        self._first_clock = reader.clock

    def _only_wanted(self, page: Page, windows: tuple[Window, ...]) -> Page:
        return page.skipping(
            position
            for position, stamp in enumerate(page.stamps)
            if not lies_in(windows, stamp.second) and str(stamp.id) not in self.visits.kept
        )

    def _by_number(self) -> Iterator[Page]:
        newest_first = self.table.listing == "newest_first"
        # These endpoints add no second sort key (observed), so it is sent.
        sort = (("sort", "updated_at desc,id desc"),) if newest_first else ()
        earliest = to_epoch(self.windows[0].start)

        def older(stamp: Stamp) -> bool:
            second = stamp.second
            return newest_first and second is not None and second < earliest

        for variant in self.table.variants:
            pages = read_by_number(
                self.client,
                self.table.path,
                (*self.table.list_params, *variant, *sort),
                self.tally,
                wanted=self.wants if newest_first else lambda _: True,
                beyond=older,
            )
            for page in pages:
                if newest_first:
                    check_order(page, self.table.path, descending=True)
                yield replace(page, variant=variant)

    def wants(self, stamp: Stamp) -> bool:
        """Returns whether a record lies in a window; True for one without `updated_at`."""
        return lies_in(self.windows, stamp.second)


def lies_in(windows: tuple[Window, ...], second: int | None) -> bool:
    """Returns whether an epoch second lies in one of `windows`.

    It is also True for None and for seconds after the year 9999, which no window holds: these
    records are read, and the latter are rejected.
    """
    if second is None or is_beyond_calendar(second):
        return True
    return is_instant(second) and any(
        to_epoch(window.start) <= second < to_epoch(window.end) for window in windows
    )
