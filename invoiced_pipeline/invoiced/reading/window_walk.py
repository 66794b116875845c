"""The window walk: every record whose `updated_at` lies in some windows, read by key.

It uses no page numbers: a list sorted by `updated_at` changes its order while it is read, and page
numbers would skip records for good. Instead, each request asks for records from the second of the
last record on.
"""

import itertools
import math
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.http.client import InvoicedClient, Params
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.by_page_number import read_by_number
from invoiced_pipeline.invoiced.reading.pages import PER_PAGE, Page, Stamp, check_order, fetch_page
from invoiced_pipeline.invoiced.reading.read_ahead import MAX_PAGES_AHEAD
from invoiced_pipeline.windows import FOREVER, Window, from_epoch, to_epoch

PAGES_PER_PART = 12
"""Least pages of a part that is read on its own: its last page is half empty on average."""


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds to read, from `start` up to, not including, `end` (None: open)."""

    start: int
    end: int | None
    seen: frozenset[int | str | None] = frozenset()
    """Ids already read whose `updated_at` is `start`."""

    @property
    def window(self) -> Window:
        """The same as a window."""
        end = FOREVER if self.end is None else from_epoch(self.end)
        return Window(from_epoch(self.start), end)


@dataclass(frozen=True, slots=True)
class Crowd:
    """A span with more than a page of records in one second, read by page number."""

    span: Span
    pages: Iterator[Page]


@dataclass(slots=True)
class WindowWalk:
    """Reads one table's records of some windows; iterate `pages` once.

    Attributes:
        client: Where to read.
        table: What to read; its `listing` must be `windowed`.
        windows: Disjoint and ascending; an end of `FOREVER` means up to the newest record.
        executor: Runs requests in parallel.
        tally: Counts requests.
    """

    client: InvoicedClient
    table: Table
    windows: tuple[Window, ...]
    executor: Executor
    tally: Tally
    server_time: datetime | None = None
    """The server's clock (UTC) at the earliest response; None if the first has no Date header."""
    _answered: bool = False
    _waiting: deque[Span | Crowd] = field(default_factory=deque)
    _running: list[Span | Crowd] = field(default_factory=list)
    _is_paused: bool = False
    _closed: bool = False
    _ready: "deque[tuple[Span, Page | Exception]]" = field(default_factory=deque)
    _taken: Span | None = None
    """The span of the page that the consumer has not finished yet."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """Requests the first pages, so that they are in flight before `pages` is iterated."""
        with self._lock:
            for window in self.windows:
                end = None if window.end == FOREVER else to_epoch(window.end)
                self._waiting.append(Span(to_epoch(window.start), end))
            self._submit()

    def pause(self) -> bool:
        """Requests no more pages; returns True once all pages requested before are taken.

        So a page that is requested after a pause shows no older version of a record than a page
        taken before it. It returns False, too, if no page is left to read.
        """
        with self._lock:
            self._is_paused = True
            is_open = self._ready or self._running or self._taken is not None
            return bool(self._waiting) and not is_open

    def resume(self) -> None:
        """Requests pages again."""
        with self._lock:
            self._is_paused = False
            self._submit()

    def unread(self) -> tuple[Window, ...]:
        """Returns the parts of the windows that are not read yet, in no particular order.

        A page counts as read once the consumer of `pages` asks for the next one.
        """
        with self._lock:
            spans = [_span(part) for part in (*self._waiting, *self._running)]
            spans += [span for span, _ in self._ready]
            spans += [] if self._taken is None else [self._taken]
        return tuple(span.window for span in spans)

    def pages(self) -> Iterator[Page | None]:
        """Yields pages as they arrive, in no particular order, each record once.

        Yields None while no page has arrived, so that the caller can do something else.
        """
        try:
            while not self._has_ended():
                arrived = self._take()
                if arrived is None:
                    yield None
                    continue
                span, page = arrived
                if isinstance(page, Exception):
                    raise page
                yield _inside(page, span)
                self._taken = None
        finally:
            with self._lock:
                self._closed = True

    def _has_ended(self) -> bool:
        with self._lock:
            return not self._ready and not self._running and not self._waiting

    def _take(self) -> "tuple[Span, Page | Exception] | None":
        with self._lock:
            arrived = self._ready.popleft() if self._ready else None
            self._taken = arrived[0] if arrived else None
            self._submit()
            return arrived

    def _submit(self) -> None:
        """Starts reading the next spans, unless enough pages wait to be taken; needs the lock."""
        while (
            self._waiting
            and not self._closed
            and not self._is_paused
            and len(self._running) < self.client.limit.maximum
            and len(self._running) + len(self._ready) < MAX_PAGES_AHEAD
        ):
            part = self._waiting.popleft()
            self._running.append(part)
            self.executor.submit(self._work, part)

    def _work(self, part: Span | Crowd) -> None:
        """Reads a page in a thread of the executor, and starts reading what follows at once.

        If the consumer of the pages did that, requests would pause while other tables load.
        """
        arrived: list[tuple[Span, Page | Exception]] = []
        following: list[Span | Crowd] = []
        try:
            if isinstance(part, Crowd):
                arrived = [(part.span, page) for page in itertools.islice(part.pages, 1)]
                following = [part] if arrived else []
            else:
                page = self._read(part)
                crowded = _crowded(part, page)
                if crowded is None:
                    arrived, following = [(part, page)], list(self._following(part, page))
                else:
                    shown = _only_in(crowded, page)
                    arrived, following = [(part, shown)], list(self._around(part, crowded, shown))
        except Exception as error:  # noqa: BLE001 - raised again where the pages are taken
            arrived = [(_span(part), error)]
        with self._lock:
            self._running.remove(part)
            self._ready.extend(arrived)
            self._waiting.extend(following)
            self._submit()

    def _params(self, span: Span, *, by_key: bool = True) -> Params:
        # updated_after and updated_before are exclusive (API reference), windows half-open.
        end = () if span.end is None else (("updated_before", str(span.end)),)
        order = (("sort", "updated_at asc"),) if by_key else ()
        return (*self.table.list_params, *order, ("updated_after", str(span.start - 1)), *end)

    def _read(self, span: Span) -> Page:
        params = (*self._params(span), ("page", "1"))
        page = fetch_page(self.client, self.table.path, params, self.tally)
        check_order(page, self.table.path)
        with self._lock:
            if not self._answered:
                self.server_time, self._answered = page.server_time, True
            elif self.server_time and page.server_time:
                self.server_time = min(self.server_time, page.server_time)
        return page

    def _around(self, span: Span, crowded: Span, page: Page) -> Iterator[Span | Crowd]:
        """Yields the crowd that a page belongs to, and what follows it in `span`."""
        seen = (stamp for at, stamp in enumerate(page.stamps) if at not in page.skip)
        params = self._params(crowded, by_key=False)
        listed = read_by_number(self.client, self.table.path, params, self.tally, seen=seen)
        yield Crowd(crowded, listed)
        if crowded.end is not None and crowded.end != span.end:
            yield Span(crowded.end, span.end)

    def _following(self, span: Span, page: Page) -> Iterator[Span | Crowd]:
        """Yields what is left of `span` after `page`, in parts if it is large."""
        last = page.stamps[-1].second if page.stamps else None
        if last is None or not page.more_follow:
            return
        seen = frozenset(stamp.id for stamp in page.stamps if stamp.second == last)
        left = ((page.total or 0) - PER_PAGE) / PER_PAGE
        parts = min(1 + self._free_parts(), math.ceil(left / PAGES_PER_PART))
        yield from self._split(Span(last, span.end, seen), parts)

    def _free_parts(self) -> int:
        """Returns how many more parts could be read in parallel; an ended one gives its place."""
        with self._lock:
            return max(0, self.client.limit.maximum - len(self._running) - len(self._waiting))

    def _split(self, span: Span, parts: int) -> Iterator[Span]:
        """Yields disjoint spans of equal length that add up to `span`."""
        end = span.end if span.end is not None else self._now()
        bounds = sorted({span.start + (end - span.start) * part // parts for part in range(parts)})
        if parts < 2 or end <= span.start or len(bounds) < 2:
            yield span
            return
        yield Span(span.start, bounds[1], span.seen)
        yield from (Span(*pair) for pair in zip(bounds[1:], [*bounds[2:], span.end], strict=True))

    def _now(self) -> int:
        return to_epoch(self.server_time or datetime.now(UTC) + timedelta(seconds=1))


def _span(part: Span | Crowd) -> Span:
    return part.span if isinstance(part, Crowd) else part


def _crowded(span: Span, page: Page) -> Span | None:
    """Returns the part of `span` that must be read by page number, in the API's own order, or None.

    That is one second that holds more than a page, or the whole span if its records have no
    `updated_at` or one from before the window.
    """
    if not page.more_follow:
        return None
    last = page.stamps[-1].second
    if last is not None and last > span.start:
        return None
    return Span(span.start, span.start + 1, span.seen) if last == span.start else span


def _only_in(crowded: Span, page: Page) -> Page:
    """Returns `page` with the records of a crowded second only; they may change before the rest.

    Without a second of their own, records are read by page number alone.
    """
    is_second = crowded.end == crowded.start + 1
    return page.skipping(
        at
        for at, stamp in enumerate(page.stamps)
        if not (is_second and stamp.second == crowded.start)
    )


def _inside(page: Page, span: Span) -> Page:
    """Returns `page` without records seen before or outside `span`.

    The API ignores filters of zero and below (observed), so it may return older records.
    """

    def unwanted(stamp: Stamp) -> bool:
        second = stamp.second
        if second is None:
            return False
        if second < span.start or (span.end is not None and second >= span.end):
            return True
        return second == span.start and stamp.id in span.seen

    return page.skipping(position for position, stamp in enumerate(page.stamps) if unwanted(stamp))
