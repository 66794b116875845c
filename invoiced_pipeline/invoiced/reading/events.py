"""The events feed: deletions and merges since an instant, or what happened to one kind of record.

It reads lists which the API filters, so that a feed full of viewed invoices and sent e-mails costs
no more requests than a quiet one.
"""

import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from invoiced_pipeline.exceptions import ContractError
from invoiced_pipeline.invoiced.http.client import InvoicedClient, Params
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.by_page_number import read_by_number
from invoiced_pipeline.invoiced.reading.pages import LAG, Page
from invoiced_pipeline.nesting import decode
from invoiced_pipeline.windows import from_epoch, is_instant, to_epoch

logger = logging.getLogger(__name__)

PATH = "/events"

DELETIONS: tuple[Params, ...] = (
    (("advanced_filter", '[{"field":"type","operator":"ends_with","value":".deleted"}]'),),
    (("filter[type]", "customer.merged"),),
)
"""The lists of deletions and merges."""


def about(kind: str) -> tuple[Params, ...]:
    """Returns the list of events about one kind of record, such as `contact`."""
    wanted = [{"field": "type", "operator": "starts_with", "value": f"{kind}."}]
    return ((("advanced_filter", msgspec.json.encode(wanted).decode()),),)


class Snapshot(msgspec.Struct, frozen=True):
    """The fields of an event's `data.object` that say which records it is about."""

    id: int | str | None = None
    voided: bool | int | None = None
    """True in the event of a void; the event of a deleted payment shows its former value."""
    original_customer: "Snapshot | None" = None
    """In a merge, the customer that is gone; the event's object is the surviving one."""
    customer: msgspec.Raw = msgspec.Raw(b"null")
    """The customer that the record belongs to, as an object, or its id."""
    customer_id: msgspec.Raw = msgspec.Raw(b"null")

    @property
    def owner(self) -> int | None:
        """The id of the customer that the record belongs to; None if it names none."""
        for raw in (self.customer, self.customer_id):
            try:
                found = decode(_owner, raw)
            except msgspec.MsgspecError:
                continue
            number = found.id if isinstance(found, _Owner) else found
            if number is not None:
                return number
        return None


class _Owner(msgspec.Struct):
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `at` is the epoch second at which it was written.

    `at` is never before the record's last `updated_at` (observed).
    """

    id: int
    type: str
    at: int
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class EventsRead:
    """Events in the order in which they were written; until `until` (UTC) none is missing."""

    events: tuple[Event, ...]
    until: datetime
    clock: datetime | None = None
    """The server's clock (UTC) at the first response; None if it sends none."""
    newest: datetime | None = None
    """When the newest of them was written (UTC); without `since`, the newest event of any type."""


class _Data(msgspec.Struct):
    object: Snapshot = Snapshot()


class _Entry(msgspec.Struct):
    id: int
    type: str
    timestamp: int
    data: msgspec.Raw = msgspec.Raw(b"{}")


_entries = msgspec.json.Decoder(list[_Entry])
_data = msgspec.json.Decoder(_Data)
_owner = msgspec.json.Decoder(int | _Owner | None)


def read_events(
    client: InvoicedClient,
    since: datetime | None,
    executor: Executor,
    tally: Tally,
    *,
    lists: tuple[Params, ...] = DELETIONS,
) -> EventsRead:
    """Reads events written at or after `since` (UTC), by default deletions and merges.

    Args:
        client: Where to read.
        since: The first instant; None to read no earlier events.
        executor: Runs requests in parallel.
        tally: Counts requests.
        lists: The filters of the lists to read.

    Raises:
        ApiError: The feed cannot be read.
    """
    if since is None:
        response = client.list_page(PATH, (("per_page", "1"),), tally)  # the newest
        newest = max((event.at for event in _events(response.body)), default=0)
        end = _end(response.server_time, newest)
        return EventsRead((), end, response.server_time, from_epoch(newest))

    def ask(filters: Params) -> list[Page]:
        # Ascending, so that events written meanwhile do not move others to other pages.
        params = (*filters, ("sort", "id asc"), ("start_date", str(to_epoch(since))))
        return list(read_by_number(client, PATH, params, tally))

    read = list(executor.map(ask, lists))
    found = {event.id: event for pages in read for page in pages for event in _events(page.body)}
    events = tuple(found[number] for number in sorted(found))
    clocks = [clock for pages in read if (clock := pages[0].server_time) is not None]
    newest = max((event.at for event in events), default=to_epoch(since))
    clock = min(clocks) if len(clocks) == len(read) else None
    end = _end(clock, newest)
    return EventsRead(events, max(since, end), clock, from_epoch(newest) if events else None)


def _end(server_time: datetime | None, newest: int) -> datetime:
    """Returns until when no event is missing: events become visible after their commit.

    Without the server's clock, the newest event (epoch second) replaces it: this machine's clock
    may be ahead, and events would be missed until the server's clock has caught up.
    """
    return (server_time or min(datetime.now(UTC), from_epoch(newest))) - LAG


def _events(body: bytes) -> Iterator[Event]:
    try:
        entries = decode(_entries, body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        message = f"GET {PATH}: the response contains something that is not an event: {error}"
        raise ContractError(message, path=PATH, status=200) from error
    for entry in entries:
        if is_instant(entry.timestamp):
            yield Event(entry.id, entry.type, entry.timestamp, _read_snapshot(entry.data))
        else:
            logger.warning(
                "Event %d (%s) is skipped: its timestamp %d lies outside the years 1 to 9999. "
                "If it is a deletion, run `invoiced-pipeline sweep` to find the record",
                entry.id,
                entry.type,
                entry.timestamp,
            )


def _read_snapshot(data: msgspec.Raw) -> Snapshot:
    """Returns the event's object; an empty one if the API has lost its snapshot (observed)."""
    try:
        return decode(_data, data).object
    except msgspec.MsgspecError:
        return Snapshot()
