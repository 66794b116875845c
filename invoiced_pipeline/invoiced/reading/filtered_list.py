"""Lists filtered by `advanced_filter` on `updated_at`, because they have no `updated_after`.

The API reads the filter's values in the company's time zone (observed), which a client does not
know. So the filter reaches a day further than the window, on both sides, and other records are
skipped. If the records changed last fit on one page, that page is enough: it shows one moment. More
are read in the order of their ids: ids do not change, so a record that changes or disappears
meanwhile hides no other one, however many records share a second.
"""

import logging
from collections.abc import Collection, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.exceptions import ContractError, RequestRefusedError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.by_id import (
    Condition,
    IdRange,
    ListById,
    advanced_filter,
)
from invoiced_pipeline.invoiced.reading.by_page_number import read_by_number
from invoiced_pipeline.invoiced.reading.pages import Page, Stamp, fetch_page
from invoiced_pipeline.windows import FOREVER, Window, to_epoch

logger = logging.getLogger(__name__)

MARGIN = timedelta(days=1)
"""No time zone is further from UTC (at most 14 hours)."""

_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC) + MARGIN
"""Windows from before are read without a lower bound: a database may refuse earlier dates."""


@dataclass(slots=True)
class FilteredList:
    """Reads the records whose `updated_at` lies in a window, and others next to them.

    Attributes:
        client: Where to read.
        table: What to read.
        executor: Runs requests in parallel.
        tally: Counts requests.
        is_whole: Whether the API refused the filter, so that all records were read.
    """

    client: InvoicedClient
    table: Table
    executor: Executor
    tally: Tally
    is_whole: bool = False

    def pages(self, window: Window) -> Iterator[Page]:
        """Yields pages in no particular order; each version of a record comes once.

        If the API refuses the filter, the pages hold all records: see `is_whole`.

        Raises:
            ApiError: The list cannot be read to its end.
        """
        try:
            newest = self._newest(window)
        except RequestRefusedError as error:
            if error.status != 400:
                raise
            logger.warning("%s: all records are read in every sync: %s", self.table.name, error)
            self.is_whole = True
            yield from self._by_number(())
            return
        yield newest
        if newest.more_follow and not _reaches(newest, window.start):
            seen = {(stamp.id, stamp.second) for stamp in newest.stamps}
            for page in self._all(window, newest):
                yield page.skipping(_positions(page.stamps, seen))

    def _newest(self, window: Window) -> Page:
        # These endpoints add no second sort key (observed), so it is sent.
        order = (("sort", "updated_at desc,id desc"), ("page", "1"))
        params = (*self.table.list_params, *advanced_filter(_conditions(window)), *order)
        return fetch_page(self.client, self.table.path, params, self.tally)

    def _all(self, window: Window, newest: Page) -> Iterator[Page]:
        """Yields all records of a window, by their ids if the list can be filtered by them."""
        conditions = _conditions(window)
        listed = ListById(
            self.client, self.table.path, self.table.list_params, self.tally, conditions
        )
        opening = _opening(listed)
        if not opening:
            yield from self._by_number(conditions)
            return
        yield from opening
        # Records changed last are mostly new ones, so their ids are near the highest.
        highest = max((stamp.id for stamp in newest.stamps if isinstance(stamp.id, int)), default=0)
        yield from listed.rest(opening[-1], highest, self.executor)

    def _by_number(self, conditions: tuple[Condition, ...]) -> Iterator[Page]:
        params = (*self.table.list_params, *advanced_filter(conditions))
        return read_by_number(self.client, self.table.path, params, self.tally)


def _conditions(window: Window) -> tuple[Condition, ...]:
    """Returns the filter of a window, wide enough for every time zone."""
    conditions = []
    if window.start >= _EARLIEST:
        conditions.append(Condition("updated_at", ">=", _local(window.start - MARGIN)))
    if window.end != FOREVER:
        conditions.append(Condition("updated_at", "<", _local(window.end + MARGIN)))
    return tuple(conditions)


def _local(instant: datetime) -> str:
    """Returns a date and time without an offset: the API ignores offsets (observed)."""
    return instant.strftime("%Y-%m-%d %H:%M:%S")


def _reaches(page: Page, start: datetime) -> bool:
    """Returns whether a page, newest first, goes back to before `start`."""
    seconds = [stamp.second for stamp in page.stamps]
    known = [second for second in seconds if second is not None]
    is_sorted = len(known) == len(seconds) and known == sorted(known, reverse=True)
    return is_sorted and known[-1] < to_epoch(start)


def _opening(listed: ListById) -> list[Page]:
    """Returns the first two pages in the order of ids; none if ids cannot be filtered."""
    try:
        first = listed.page(IdRange())
        if not first.more_follow:
            return [first]
        return [first, listed.page(IdRange.behind(first))]
    except (RequestRefusedError, ContractError) as error:
        if error.status not in {200, 400}:
            raise
        logger.debug("%s: read by page number, because %s", listed.path, error)
        return []


def _positions(stamps: list[Stamp], seen: Collection[tuple[object, int | None]]) -> Iterator[int]:
    return (at for at, stamp in enumerate(stamps) if (stamp.id, stamp.second) in seen)
