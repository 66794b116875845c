"""What the sensor remembers of the events feed, and what is new on a page of it."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import msgspec

from invoiced_pipeline.catalog.events import tables_concerned, tables_with_events
from invoiced_pipeline.invoiced.reading.recent_events import RecentEvents


class EventsCursor(msgspec.Struct, frozen=True):
    """The part of the feed that is known.

    Events become visible after their request's commit, so one with a lower id may appear later. So
    each look reaches back behind the newest event, and the ids there are remembered.

    Attributes:
        until: The epoch second of the newest event.
        seen: Ids of the known events that the next look will find again.
    """

    until: int
    seen: frozenset[int]

    @classmethod
    def decode(cls, text: str | None) -> Self | None:
        """Returns the cursor of the last tick; None at the first, or if somebody edited it."""
        try:
            return msgspec.json.decode(text or "", type=cls)
        except msgspec.MsgspecError:
            return None

    def encode(self) -> str:
        """Returns the cursor as Dagster stores it."""
        return msgspec.json.encode(self, order="deterministic").decode()

    def since(self, overlap: timedelta) -> int:
        """Returns the epoch second from which the next look reads."""
        return self.until - int(overlap.total_seconds())


@dataclass(frozen=True, slots=True)
class News:
    """What a look found.

    Attributes:
        events: How many events concern the tables.
        last: The highest id of the new events; 0 if there is none.
        tables: The tables to sync.
        cursor: Where the next look begins.
    """

    events: int
    last: int
    tables: frozenset[str]
    cursor: EventsCursor


def first_cursor(page: RecentEvents, overlap: timedelta) -> EventsCursor:
    """Returns the cursor that knows everything on the first page."""
    return _advanced(None, page, overlap)


def news_of(
    cursor: EventsCursor, page: RecentEvents, overlap: timedelta, selected: Set[str]
) -> News:
    """Returns what is new on a page, which was read from `cursor.since(overlap)` on.

    If even the oldest event of a full page is new, older ones may be new, too: all tables that have
    events are then to be synced, without another request.

    Args:
        cursor: What was known before.
        page: The newest events.
        overlap: How far a look reaches back behind the newest event.
        selected: Names of the tables that the connection replicates.
    """
    unseen = [event for event in page.events if event.id not in cursor.seen]
    concerning = [event for event in unseen if tables_concerned(event.type) & selected]
    tables = frozenset[str]().union(*(tables_concerned(event.type) for event in concerning))
    if page.is_full and page.events[-1] in unseen:
        concerning, tables = unseen, tables_with_events()
    return News(
        events=len(concerning),
        last=max((event.id for event in concerning), default=0),
        tables=tables & selected,
        cursor=_advanced(cursor, page, overlap),
    )


def _advanced(cursor: EventsCursor | None, page: RecentEvents, overlap: timedelta) -> EventsCursor:
    moved = EventsCursor(_until(cursor, page), frozenset())
    since = moved.since(overlap)
    seen = frozenset(event.id for event in page.events if event.timestamp >= since)
    return EventsCursor(moved.until, seen)


def _until(cursor: EventsCursor | None, page: RecentEvents) -> int:
    """Returns the second of the newest event; of the first look if there is none yet."""
    clock = None if page.clock is None else int(page.clock.timestamp())
    if not page.events:
        return cursor.until if cursor else clock or 0
    newest = max(event.timestamp for event in page.events)
    if clock is not None:
        newest = min(newest, clock)  # one dated in the future would hide all until then
    return max(newest, cursor.until) if cursor else newest
