"""Lists read by key, in the order of ids, so that changes meanwhile hide no other record."""

import itertools
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from invoiced_pipeline.exceptions import ContractError
from invoiced_pipeline.invoiced.http.client import InvoicedClient, Params
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.pages import PER_PAGE, Page, fetch_page

PAGES_PER_PART = 12


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of `advanced_filter`."""

    field: str
    operator: str
    value: int | str


def advanced_filter(conditions: Sequence[Condition]) -> Params:
    """Returns the parameter for conditions that all hold; none without conditions."""
    text = msgspec.json.encode(list(conditions)).decode()
    return (("advanced_filter", text),) if conditions else ()


@dataclass(frozen=True, slots=True)
class IdRange:
    """Ids greater than `after`, up to and including `last`; None for no bound."""

    after: int | None = None
    last: int | None = None

    @classmethod
    def behind(cls, page: Page) -> "IdRange":
        """Returns the range of all ids after those of a page that is not empty."""
        last: Any = page.stamps[-1].id
        return cls(after=last)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The same for `advanced_filter`."""
        bounds = ((">", self.after), ("<=", self.last))
        return tuple(Condition("id", sign, value) for sign, value in bounds if value is not None)


@dataclass(frozen=True, slots=True)
class ListById:
    """A list that is read in the order of ids.

    Attributes:
        client: Where to read.
        path: The list endpoint.
        params: All parameters except `advanced_filter`, page and per_page.
        tally: Counts requests.
        conditions: More conditions of `advanced_filter`.
    """

    client: InvoicedClient
    path: str
    params: Params
    tally: Tally
    conditions: tuple[Condition, ...] = ()

    def page(self, span: IdRange) -> Page:
        """Fetches the first page of a range.

        Raises:
            ApiError: It cannot be read, or the records do not come in the order of their ids.
        """
        narrowed = advanced_filter((*self.conditions, *span.conditions))
        page = fetch_page(
            self.client, self.path, (*self.params, *narrowed, ("page", "1")), self.tally
        )
        low = -math.inf if span.after is None else span.after
        for stamp in page.stamps:
            if not isinstance(stamp.id, int) or stamp.id <= low:
                # The next request would return the same page, or miss records between.
                message = f"GET {self.path}: records do not come in the order of their ids"
                raise ContractError(message, path=self.path, status=200)
            low = stamp.id
        return page

    def highest_id(self) -> int | None:
        """Returns the highest id; None if the list is empty or its ids are no numbers."""
        newest = (*self.params, *advanced_filter(self.conditions), ("sort", "id desc"))
        page = fetch_page(self.client, self.path, (*newest, ("page", "1")), self.tally)
        return max((stamp.id for stamp in page.stamps if isinstance(stamp.id, int)), default=None)

    def rest(self, page: Page, highest: int | None, executor: Executor) -> Iterator[Page]:
        """Yields the pages after `page`, in parallel parts if they are many, in no order.

        At most one page of each part waits to be taken.

        Args:
            page: A page of the list, without an upper bound.
            highest: The highest id, about: it only decides how large the parts are.
            executor: Runs requests in parallel.
        """
        running: dict[Future[Page], IdRange] = {}
        for span in _parts(page, highest, self.client.limit.maximum):
            running[executor.submit(self.page, span)] = span
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                span, arrived = running.pop(future), future.result()
                if arrived.more_follow:
                    left = replace(IdRange.behind(arrived), last=span.last)
                    running[executor.submit(self.page, left)] = left
                yield arrived


def parts_left(page: Page, most: int) -> int:
    """Returns in how many parts the pages after `page` are worth reading; 0 if there are none.

    Args:
        page: A page of the list, without an upper bound.
        most: The most parts: as many as there may be requests in flight.
    """
    if not page.more_follow:
        return 0
    left = ((page.total or 0) - len(page.stamps)) / PER_PAGE
    return max(1, min(most, math.ceil(left / PAGES_PER_PART)))


def _parts(page: Page, highest: int | None, most: int) -> list[IdRange]:
    """Returns ranges of ids after `page` that are worth reading in parallel."""
    count = parts_left(page, most)
    if not count:
        return []
    after: Any = page.stamps[-1].id
    span = max(0, (highest or after) - after)
    bounds = sorted({after + span * part // count for part in range(1, count)} - {after})
    # The last part is open, for records created meanwhile.
    edges = [after, *bounds, None]
    return [IdRange(*pair) for pair in itertools.pairwise(edges)]
