"""A list to which records are only appended: read in parts of time, each by page number.

In the order of ids, records that are written meanwhile come last and move no other to another page.
"""

import itertools
import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.http.client import InvoicedClient, Params
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.by_page_number import read_by_number
from invoiced_pipeline.invoiced.reading.pages import PER_PAGE, Page, fetch_page
from invoiced_pipeline.windows import FOREVER, Window, from_epoch, is_instant, to_epoch

PAGES_PER_PART = 12
"""Least pages of a part that is read on its own: its last page is half empty on average."""

MAX_PARTS = 12

_ASCENDING: Params = (("sort", "id asc"),)

_NOT_WORTH_DIVIDING = timedelta(days=1)
"""A window that short is read at once: to count its records would cost a request."""


def read_appended(
    client: InvoicedClient, table: Table, window: Window, executor: Executor, tally: Tally
) -> Iterator[Page]:
    """Yields the records of a window, a few parts of it at a time.

    Raises:
        ApiError: The list could not be read to its end.
    """
    parts = deque(
        read_by_number(client, table.path, (*table.list_params, *_params(part)), tally)
        for part in _parts(client, table, window, tally)
    )
    pending = deque((part, executor.submit(next, part, None)) for part in parts)
    while pending:
        part, future = pending.popleft()
        page = future.result()
        if page is not None:
            pending.append((part, executor.submit(next, part, None)))
            yield page


def _parts(client: InvoicedClient, table: Table, window: Window, tally: Tally) -> list[Window]:
    """Returns windows that add up to `window`; several if it holds many records."""
    now = datetime.now(UTC)
    if min(window.end, now) - window.start < _NOT_WORTH_DIVIDING:
        return [window]
    first = fetch_page(client, table.path, (*table.list_params, *_params(window)), tally, size=1)
    count = min(MAX_PARTS, math.ceil((first.total or 0) / PER_PAGE / PAGES_PER_PART))
    seconds = [stamp.second for stamp in first.stamps if is_instant(stamp.second)]
    if count < 2 or not seconds:
        return [window]
    low, high = seconds[0], to_epoch(min(window.end, first.server_time or now))
    bounds = sorted({low + (high - low) * part // count for part in range(1, count)})
    instants = [window.start, *map(from_epoch, bounds), window.end]
    parts = (Window(*pair) for pair in itertools.pairwise(instants))
    return [part for part in parts if not part.is_empty]


def _params(window: Window) -> Params:
    # Both bounds are inclusive (API reference).
    end = () if window.end == FOREVER else (("end_date", str(to_epoch(window.end) - 1)),)
    return (*_ASCENDING, ("start_date", str(to_epoch(window.start))), *end)
