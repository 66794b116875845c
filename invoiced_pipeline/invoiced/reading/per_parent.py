"""Lists that the API has per parent only, such as the contacts of each customer.

All parents are asked once. Later only those are asked that changed since the last read, and those
that an event about such a record names: a new contact need not change its customer.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from invoiced_pipeline.catalog import Parent, Table
from invoiced_pipeline.catalog import table as catalog_table
from invoiced_pipeline.exceptions import NoSuchListError, RequestRefusedError, UnavailableError
from invoiced_pipeline.invoiced.http.client import InvoicedClient, Params
from invoiced_pipeline.invoiced.http.responses import NOT_FOUND, UNKNOWN_PATH
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.by_page_number import read_by_number
from invoiced_pipeline.invoiced.reading.events import about, read_events
from invoiced_pipeline.invoiced.reading.identifiers import Identifiers, ids_only, list_identifiers
from invoiced_pipeline.invoiced.reading.pages import Page, Stamp, fetch_page
from invoiced_pipeline.nesting import decode
from invoiced_pipeline.windows import Window, from_epoch, is_instant, to_epoch

logger = logging.getLogger(__name__)

PARENTS_PER_PAGE = 100
"""Parents whose records become one page."""

_AHEAD = 24
"""Requests of one table that wait for a thread: with more, other tables would wait behind them."""

_records = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_record = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Which parents to ask.

    Attributes:
        since: Ask those that changed, or that an event names, since this instant (UTC); None for
            all parents.
        after: Ask all parents with a higher id, too.
        also: More parents to ask, such as those of records that were rejected.
        wanted: Windows of `updated_at` whose records are wanted; None for those of the reader.
        kept: Ids that are wanted in any case.
    """

    since: datetime | None = None
    after: int | None = None
    also: frozenset[int] = frozenset()
    wanted: tuple[Window, ...] | None = None
    kept: frozenset[str] = frozenset()


@dataclass(slots=True)
class PerParentReader:
    """Reads a table's records parent by parent; iterate `pages` once.

    Attributes:
        client: Where to read.
        table: What to read; it has a `parent`.
        visits: Which parents to ask.
        executor: Runs requests in parallel.
        tally: Counts requests.
        clock: The server's clock (UTC) at the first response; None if it sends none.
        newest: The newest change (UTC) that the lists of parents showed: no later than the server's
            clock was then, if it sends none.
        expected: How many parents are asked; None while that is not known.
        warning: Why changes may be missed, if the key or the account may not read events.
    """

    client: InvoicedClient
    table: Table
    visits: Visits
    executor: Executor
    tally: Tally
    clock: datetime | None = None
    newest: datetime | None = None
    expected: int | None = None
    warning: str | None = None
    _parent: Parent = field(init=False)
    _has_clock: bool = False

    def __post_init__(self) -> None:
        if self.table.parent is None:
            message = f"{self.table.name} is not listed per parent"
            raise ValueError(message)
        self._parent = self.table.parent

    def pages(self) -> Iterator[Page]:
        """Yields pages, each with all records of some parents.

        Raises:
            ApiError: Parents or records could not be read.
        """
        changed: set[int] = set(self.visits.also)
        if self.visits.since is not None:
            named, without = self._changed(self.visits.since)
            changed |= named
            if without:
                yield _page([], tuple(sorted(without)), self.clock)
        others: list[int] = []
        if self.visits.since is None or self.visits.after is not None:
            others = sorted(self._all() - changed)
        if self.visits.after is not None:
            others = [each for each in others if each > self.visits.after]
        self.expected = len(changed) + len(others)
        yield from self.visit(sorted(changed))
        for page in self.visit(others):
            yield replace(page, reached=page.parents[-1])

    @property
    def _parents(self) -> Table:
        return catalog_table(self._parent.table)

    def parents_of(self, page: Page) -> Mapping[Any, int]:
        """Returns the parent of each record of a page, by the record's id."""
        records = decode(_records, page.body)
        return {
            stamp.id: _decoded(record[self._parent.column])
            for stamp, record in zip(page.stamps, records, strict=True)
        }

    def _changed(self, since: datetime) -> tuple[set[int], set[int]]:
        """Returns the parents to ask, and those that changed and have no record."""
        events = self._events(since)
        wanted, without = set[int](), set[int]()
        after = ("updated_after", str(to_epoch(since) - 1))
        for parent, holds in self._listed((after,)):
            (wanted if holds else without).add(parent)
        return wanted | events, without - events

    def _events(self, since: datetime) -> set[int]:
        """Returns the parents that events since an instant name."""
        lists = about(self.table.singular)
        try:
            read = read_events(self.client, since, self.executor, self.tally, lists=lists)
        except UnavailableError as error:
            self.warning = (
                f"Changes of {self.table.name} that leave their {self._parents.singular} as it was "
                f"are not seen: {error}. Let the key read events; invoiced-pipeline sweep finds "
                "such records"
            )
            logger.warning(self.warning)
            return set()
        self._note_clock(read.clock, read.newest)
        if self._parent.holder is None:
            owners = (event.snapshot.owner for event in read.events)
            return {owner for owner in owners if owner is not None}
        # Such a record does not name its parent (observed), but the parent names it.
        records = {event.snapshot.id for event in read.events} - {None}
        if not records:
            return set()
        return {
            parent for parent, held in self._listed(self._parent.holder_params) if held in records
        }

    def _all(self) -> set[int]:
        """Returns the ids of all parents that may have records."""
        if self._parent.holder is None:
            listed = list_identifiers(self.client, self._parents, self.executor, self.tally)
            seconds = [each for each in listed.seconds.values() if is_instant(each)]
            newest = from_epoch(max(seconds)) if seconds else None
            self._note_clock(listed.server_time, newest)
            return set(listed.seconds)
        return {parent for parent, held in self._listed(self._parent.holder_params) if held}

    def _listed(self, params: Params) -> Iterator[tuple[int, Any]]:
        """Yields parents with what they hold: the id of their record, or True if any number."""
        holder = self._parent.holder
        path = self._parents.path
        shown = ids_only(self._parents, *filter(None, [holder]))
        for page in read_by_number(self.client, path, (*shown, *params), self.tally):
            seconds = [stamp.second for stamp in page.stamps if is_instant(stamp.second)]
            self._note_clock(page.server_time, from_epoch(max(seconds)) if seconds else None)
            if holder is None:
                yield from ((int(stamp.id or 0), True) for stamp in page.stamps)
                continue
            for record in decode(_records, page.body):
                yield _decoded(record["id"]), _decoded(record.get(holder))

    def visit(self, parents: list[int]) -> Iterator[Page]:
        """Asks parents in the order of their ids, several at a time; yields a page per group."""
        records: list[_Child] = []
        asked: list[int] = []
        clock: datetime | None = None
        for parent, found, server_time in _in_order(self.executor, self.ask, parents):
            asked.append(parent)
            records += found
            clock = server_time or clock
            if len(asked) >= PARENTS_PER_PAGE:
                yield _page(records, tuple(asked), clock)
                records, asked = [], []
        if asked:
            yield _page(records, tuple(asked), clock)

    def ask(self, parent: int) -> "tuple[int, list[_Child], datetime | None]":
        """Asks one parent.

        Returns:
            The parent, its records (none if it is gone), and the server's clock.

        Raises:
            ApiError: Its records could not be read.
        """
        path, params = self.table.path_of(parent), self.table.list_params
        try:
            if self._parent.response == "record":
                body = self.client.record(path, params, self.tally)
                records = [] if body is None else [decode(_record, body)]
                return parent, [self._child(parent, each) for each in records], None
            pages = self._pages(path, params)
        except (NoSuchListError, RequestRefusedError) as error:
            if error.status == NOT_FOUND and UNKNOWN_PATH in str(error):
                raise NoSuchListError(
                    str(error), path=error.path, status=NOT_FOUND, cause=error.cause
                ) from error
            if isinstance(error, RequestRefusedError):
                raise
            return parent, [], None
        records = [
            record
            for page in pages
            for at, record in enumerate(decode(_records, page.body))
            if at not in page.skip
        ]
        found = [self._child(parent, record) for record in records]
        return parent, found, pages[0].server_time

    def _pages(self, path: str, params: Params) -> list[Page]:
        if self._parent.response == "one_page":
            return [fetch_page(self.client, path, params, self.tally)]
        return list(read_by_number(self.client, path, params, self.tally))

    def _child(self, parent: int, record: dict[str, msgspec.Raw]) -> "_Child":
        """Returns a record with its parent's id and its primary key."""
        fields = record | {self._parent.column: msgspec.Raw(str(parent).encode())}
        key = _decoded(record.get("id"))
        parts = [_decoded(record.get(name)) for name in self._parent.key_fields]
        if parts and key is not None:
            key = ":".join(map(str, parts))
            fields[self.table.primary_key] = msgspec.Raw(msgspec.json.encode(key))
        return _Child(Stamp(key, _decoded(record.get("updated_at"))), msgspec.json.encode(fields))

    def _note_clock(self, server_time: datetime | None, newest: datetime | None) -> None:
        if not self._has_clock:
            self.clock, self._has_clock = server_time, True
        if newest is not None:
            self.newest = max(newest, self.newest or newest)


@dataclass(frozen=True, slots=True)
class _Child:
    stamp: Stamp
    body: bytes


def list_children(
    client: InvoicedClient, table: Table, executor: Executor, tally: Tally
) -> Identifiers:
    """Lists the ids of all records of a table that the API lists per parent.

    Raises:
        ApiError: The lists cannot be read to their end.
    """
    found = Identifiers()
    reader = PerParentReader(client, table, Visits(), executor, tally)
    for page in reader.pages():
        found.add(page)
        found.parents.update(reader.parents_of(page))
    found.server_time = reader.clock
    return found


def read_children(
    client: InvoicedClient,
    table: Table,
    wanted: Mapping[Any, int],
    executor: Executor,
    tally: Tally,
) -> Iterator[Page]:
    """Yields pages with the wanted records; others on them are marked to skip.

    Args:
        client: Where to read.
        table: Which table.
        wanted: The parents of the wanted records, by the records' ids.
        executor: Runs requests in parallel.
        tally: Counts requests.

    Raises:
        ApiError: The lists cannot be read to their end.
    """
    reader = PerParentReader(client, table, Visits(), executor, tally)
    for page in reader.visit(sorted(set(wanted.values()))):
        yield page.skipping(at for at, each in enumerate(page.stamps) if each.id not in wanted)


def _in_order(
    executor: Executor, ask: Callable[[int], Any], parents: Iterable[int]
) -> Iterator[Any]:
    """Yields what `ask` returns, in the order of the parents, with some requests ahead."""
    pending: deque[Future[Any]] = deque()
    for parent in parents:
        pending.append(executor.submit(ask, parent))
        if len(pending) >= _AHEAD:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _page(records: list[_Child], parents: tuple[int, ...], clock: datetime | None) -> Page:
    body = b"[" + b",".join(record.body for record in records) + b"]"
    stamps = [record.stamp for record in records]
    return Page(body, stamps, frozenset(), None, clock, parents=parents)


def _decoded(raw: msgspec.Raw | None) -> Any:
    """Returns a plain value; None for none, or for an array or object."""
    try:
        found = None if raw is None else msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return None if isinstance(found, dict | list) else found
