"""The ids of a table's records, and requests for single records.

Ids are read by key (`id` greater than the last one), so that records created or deleted meanwhile
hide no other record, and in parallel parts if there are many. Two lists cannot be filtered by id:
estimates, and plans, whose ids are texts. They are read by page number.
"""

import itertools
import math
from bisect import bisect_left
from collections.abc import Collection, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.exceptions import ContractError
from invoiced_pipeline.invoiced.http.client import InvoicedClient, Params
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.by_page_number import read_by_number
from invoiced_pipeline.invoiced.reading.pages import PER_PAGE, Page, fetch_page

PAGES_PER_PART = 12
MAX_PARTS = 12

_KEPT = frozenset({"id", "internal_id", "updated_at"})
"""Fields that a list of ids includes."""


@dataclass(slots=True)
class Identifiers:
    """A table's ids as the API lists them.

    Attributes:
        seconds: `updated_at` in epoch seconds, by id; None if the record has none.
        server_time: The server's clock at the first response (UTC); None if it sends none.
        parents: The parent of each record, by id, if the API lists them per parent.
    """

    seconds: dict[Any, int | None] = field(default_factory=dict)
    server_time: datetime | None = None
    parents: dict[Any, int] = field(default_factory=dict)

    def add(self, page: Page) -> None:
        """Adds the ids of a page."""
        self.server_time = self.server_time or page.server_time
        self.seconds.update((stamp.id, stamp.second) for stamp in page.stamps)


def list_identifiers(
    client: InvoicedClient, table: Table, executor: Executor, tally: Tally
) -> Identifiers:
    """Lists all ids of a table, at a fraction of the cost of its records.

    Raises:
        ApiError: The list cannot be read to its end.
    """
    found = Identifiers()
    params = ids_only(table)
    if not table.filters_by_id:
        for variant in table.variants:
            for page in read_by_number(client, table.path, (*params, *variant), tally):
                found.add(page)
        return found
    first = _page_by_key(client, table, params, tally, _Range())
    found.add(first)
    if not first.more_follow:
        return found
    for pages in executor.map(
        lambda part: list(_pages_by_key(client, table, params, tally, part)),
        _parts(client, table, params, tally, first),
    ):
        for page in pages:
            found.add(page)
    return found


def read_records(
    client: InvoicedClient,
    table: Table,
    wanted: Collection[Any],
    listed: Identifiers,
    tally: Tally,
) -> Iterator[Page]:
    """Yields pages with the wanted records; other records on them are marked to skip.

    Args:
        client: Where to read.
        table: Which table.
        wanted: Ids that `listed` holds.
        listed: All ids, which show how far one page reaches.
        tally: Counts requests.

    Raises:
        ApiError: The list cannot be read to its end.
    """
    if not wanted:
        return
    if not table.filters_by_id:
        for variant in table.variants:
            params = (*table.list_params, *variant)
            for page in read_by_number(client, table.path, params, tally):
                yield replace(_only(page, wanted), variant=variant)
        return
    ids = sorted(listed.seconds)
    done = None
    for record in sorted(wanted):
        if done is not None and record <= done:
            continue
        start = bisect_left(ids, record)
        done = ids[min(start + PER_PAGE, len(ids)) - 1]
        span = _Range(after=record - 1, last=done)
        yield _only(_page_by_key(client, table, table.list_params, tally, span), wanted)


def missing_records(
    client: InvoicedClient, table: Table, ids: Collection[Any], executor: Executor, tally: Tally
) -> set[Any]:
    """Returns those of `ids` that the API does not have; asks for each alone.

    Raises:
        ApiError: A request failed.
    """

    def is_missing(record: Any) -> bool:
        path = f"{table.path}/{quote(str(record), safe='')}"
        return client.record(path, (), tally) is None

    asked = list(ids)
    are_missing = executor.map(is_missing, asked)
    return {record for record, missing in zip(asked, are_missing, strict=True) if missing}


@dataclass(frozen=True, slots=True)
class _Range:
    """Ids greater than `after`, up to and including `last`; None for no bound."""

    after: int | None = None
    last: int | None = None

    @property
    def params(self) -> Params:
        bounds = ((">", self.after), ("<=", self.last))
        conditions = [
            {"field": "id", "operator": operator, "value": value}
            for operator, value in bounds
            if value is not None
        ]
        text = msgspec.json.encode(conditions).decode()
        return (("advanced_filter", text),) if conditions else ()


def ids_only(table: Table, *also: str) -> Params:
    """Returns a table's parameters, with all fields excluded but ids, `updated_at` and `also`."""
    kept = _KEPT.union(also)
    left_out = ",".join(column.name for column in table.columns if column.name not in kept)
    params = []
    for name, value in table.list_params:
        names = [each for each in value.split(",") if each in _KEPT]
        if name != "include":
            params.append((name, value))
        elif names:
            params.append((name, ",".join(names)))
    return (*params, ("exclude", left_out))


def _pages_by_key(
    client: InvoicedClient, table: Table, params: Params, tally: Tally, span: _Range
) -> Iterator[Page]:
    while True:
        page = _page_by_key(client, table, params, tally, span)
        yield page
        if not page.more_follow:
            return
        span = replace(span, after=page.stamps[-1].id)


def _page_by_key(
    client: InvoicedClient, table: Table, params: Params, tally: Tally, span: _Range
) -> Page:
    page = fetch_page(client, table.path, (*params, *span.params, ("page", "1")), tally)
    ids = [stamp.id for stamp in page.stamps]
    low = -math.inf if span.after is None else span.after
    for record in ids:
        if not isinstance(record, int) or record <= low:
            # The next request would return the same page, or miss records between.
            message = f"GET {table.path}: records do not come in the order of their ids"
            raise ContractError(message, path=table.path, status=200)
        low = record
    return page


def _parts(
    client: InvoicedClient, table: Table, params: Params, tally: Tally, first: Page
) -> list[_Range]:
    """Returns ranges of ids after the first page that are worth reading in parallel."""
    after: Any = first.stamps[-1].id
    left = ((first.total or 0) - len(first.stamps)) / PER_PAGE
    count = min(MAX_PARTS, math.ceil(left / PAGES_PER_PART))
    if count < 2:
        return [_Range(after)]
    newest = fetch_page(client, table.path, (*params, ("sort", "id desc"), ("page", "1")), tally)
    ids = [stamp.id for stamp in newest.stamps if isinstance(stamp.id, int)]
    highest = max(ids, default=after)
    bounds = sorted({after + (highest - after) * part // count for part in range(1, count)})
    # The last part is open, for records created meanwhile.
    edges = [after, *bounds, None]
    return [_Range(*pair) for pair in itertools.pairwise(edges)]


def _only(page: Page, wanted: Collection[Any]) -> Page:
    return page.skipping(at for at, stamp in enumerate(page.stamps) if stamp.id not in wanted)
