"""Lists read by page number, because they cannot be read by key; again if they shrank."""

from collections.abc import Callable, Iterable, Iterator

from invoiced_pipeline.exceptions import ContractError, TransientApiError
from invoiced_pipeline.invoiced.http.client import InvoicedClient, Params
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.pages import PER_PAGE, Page, Stamp, fetch_page

_PASSES = 5


def read_by_number(  # noqa: PLR0913 - what is optional has names
    client: InvoicedClient,
    path: str,
    params: Params,
    tally: Tally,
    *,
    seen: Iterable[Stamp] = (),
    wanted: Callable[[Stamp], bool] = lambda _: True,
    beyond: Callable[[Stamp], bool] = lambda _: False,
) -> Iterator[Page]:
    """Yields pages 1, 2, ... until one is not full, each record once.

    If a record disappears while pages are read, all later records move one place forward, and one
    of them is on no page. So the list is read again if fewer distinct records were seen than the
    first page's total, at the beginning or at the end.

    Args:
        client: Where to read.
        path: The list endpoint.
        params: All parameters except page and per_page.
        tally: Counts requests.
        seen: Versions of records that were read before; they are skipped.
        wanted: Returns whether a record is wanted; others are skipped.
        beyond: Returns whether no wanted record follows a record, in the list's order.

    Raises:
        TransientApiError: The list kept shrinking while it was read.
        ContractError: The server sends the same page twice.
    """
    known = {_version(stamp) for stamp in seen}

    def unseen(page: Page) -> Page:
        keys = [_version(stamp) for stamp in page.stamps]
        unwanted = [
            position
            for position, (key, stamp) in enumerate(zip(keys, page.stamps, strict=True))
            if key in known or not wanted(stamp)
        ]
        known.update(keys)
        return page.skipping(unwanted)

    for _ in range(_PASSES):
        walk = _Pass(client, path, params, tally)
        yield from map(unseen, walk.pages(beyond))
        is_complete = walk.is_complete()
        if walk.front is not None:  # what came to the front meanwhile
            yield unseen(walk.front)
        if is_complete:
            return
    message = f"GET {path}: records kept disappearing from the list while it was read"
    raise TransientApiError(message, path=path)


def _version(stamp: Stamp) -> tuple[object, ...]:
    return stamp.id, stamp.internal_id, stamp.second


class _Pass:
    """One pass over a list, from its first page.

    Attributes:
        front: The list's first page as it was after the pass; None if nobody looked.
    """

    def __init__(self, client: InvoicedClient, path: str, params: Params, tally: Tally) -> None:
        self._client = client
        self._path = path
        self._params = params
        self._tally = tally
        self.front: Page | None = None
        self._ids: set[tuple[object, ...]] = set()
        self._total: int | None = None
        self._number = 0
        self._stopped_early = False

    def pages(self, beyond: Callable[[Stamp], bool]) -> Iterator[Page]:
        """Yields page after page."""
        stamps: list[Stamp] | None = None
        while True:
            self._number += 1
            page = self._fetch(self._number)
            if self._number == 1:
                self._total = page.total
            if page.stamps == stamps:
                # Otherwise it would not end: every following page would be the same.
                message = f"GET {self._path}: page {self._number} is the same as the page before it"
                raise ContractError(message, path=self._path, status=200)
            stamps = page.stamps
            self._ids.update((stamp.id, stamp.internal_id) for stamp in page.stamps)
            yield page
            self._stopped_early = any(beyond(stamp) for stamp in page.stamps)
            if self._stopped_early or not page.is_full:
                return

    def is_complete(self) -> bool:
        """Returns whether no record can be missing; a single page is served at one moment."""
        if self._number == 1 or self._total is None:
            return True
        if self._stopped_early:
            self.front = front = self._fetch(1)
            # Records added in front since then make up for lost ones in the total.
            added = sum((stamp.id, stamp.internal_id) not in self._ids for stamp in front.stamps)
            return front.total is None or (added < PER_PAGE and front.total - added >= self._total)
        return len(self._ids) >= self._total

    def _fetch(self, number: int) -> Page:
        params = (*self._params, ("page", str(number)))
        return fetch_page(self._client, self._path, params, self._tally)
