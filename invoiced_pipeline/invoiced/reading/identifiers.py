"""The ids of a table's records, and requests for single records.

Ids are read by key (`id` greater than the last one), so that records created or deleted meanwhile
hide no other record, and in parallel parts if there are many. Some lists cannot be filtered by id:
estimates, plans and items, whose ids are texts, and lists of which it is not known. They are read
by page number.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.http.client import InvoicedClient, Params
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.by_id import IdRange, ListById, parts_left
from invoiced_pipeline.invoiced.reading.by_page_number import read_by_number
from invoiced_pipeline.invoiced.reading.pages import PER_PAGE, Page

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
    listed = ListById(client, table.path, params, tally)
    first = listed.page(IdRange())
    found.add(first)
    highest = listed.highest_id() if parts_left(first, client.limit.maximum) > 1 else None
    for page in listed.rest(first, highest, executor):
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
    by_id = ListById(client, table.path, table.list_params, tally)
    ids = sorted(listed.seconds)
    done = None
    for record in sorted(wanted):
        if done is not None and record <= done:
            continue
        start = bisect_left(ids, record)
        done = ids[min(start + PER_PAGE, len(ids)) - 1]
        yield _only(by_id.page(IdRange(after=record - 1, last=done)), wanted)


def missing_records(
    client: InvoicedClient, table: Table, ids: Collection[Any], executor: Executor, tally: Tally
) -> set[Any]:
    """Returns those of `ids` that the API does not have; asks for each alone, if it can.

    Without a path for single records, the list is read again: it may have missed a record once.

    Raises:
        ApiError: A request failed.
    """
    if not table.has_record_path:
        listed = list_identifiers(client, table, executor, tally) if ids else Identifiers()
        return set(ids) - listed.seconds.keys()

    def is_missing(record: Any) -> bool:
        path = f"{table.path}/{quote(str(record), safe='')}"
        return client.record(path, (), tally) is None

    asked = list(ids)
    are_missing = executor.map(is_missing, asked)
    return {record for record, missing in zip(asked, are_missing, strict=True) if missing}


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


def _only(page: Page, wanted: Collection[Any]) -> Page:
    return page.skipping(at for at, stamp in enumerate(page.stamps) if stamp.id not in wanted)
