"""No event is lost and none starts two runs, whatever the feed, the lock and the network do."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from invoiced_pipeline.defs.events.cursor import EventsCursor, first_cursor, news_of
from invoiced_pipeline.invoiced.reading.recent_events import RecentEvent, RecentEvents

OVERLAP = timedelta(minutes=5)
TABLES = {"customers", "invoices", "plans"}
BEGIN = 1_700_000_000
PAGE = 100

CONCERNED = {
    "customer.updated": {"customers"},
    "invoice.paid": {"invoices"},
    "payment.created": set(),  # not selected
    "email.sent": set(),
}

step = st.fixed_dictionaries(
    {
        "seconds": st.integers(0, 400),
        "written": st.lists(
            st.tuples(st.sampled_from(sorted(CONCERNED)), st.integers(0, 250)), max_size=4
        ),
        "outcome": st.sampled_from(["tick", "tick", "tick", "lock is held", "request fails"]),
    }
)


class Feed:
    """A feed whose events become visible up to 250 seconds after they were written."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.events: list[tuple[int, RecentEvent]] = []

    def write(self, kind: str, delay: int) -> None:
        event = RecentEvent(len(self.events) + 1, kind, self.now)
        self.events.append((self.now + delay, event))

    def page(self, since: int | None) -> RecentEvents:
        visible = [
            event
            for at, event in reversed(self.events)
            if at <= self.now and event.timestamp >= (since or 0)
        ]
        return RecentEvents(tuple(visible[:PAGE]), datetime.fromtimestamp(self.now, UTC))


class Sensor:
    """What the sensor does with the feed, and the runs that it requests."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.stored = first_cursor(feed.page(None), OVERLAP).encode()
        self.known = {event.id for event in feed.page(None).events}
        self.runs: list[tuple[int, frozenset[str], set[int]]] = []

    def tick(self, outcome: str) -> None:
        if outcome == "request fails":
            return
        cursor = EventsCursor.decode(self.stored)
        assert cursor is not None
        page = self.feed.page(cursor.since(OVERLAP))
        news = news_of(cursor, page, OVERLAP, TABLES)
        if news.tables:
            if outcome == "lock is held":
                return
            found = {event.id for event in page.events} - cursor.seen
            self.runs.append((news.last, news.tables, found))
        self.stored = news.cursor.encode()


def check(sensor: Sensor) -> None:
    started: dict[int, int] = {}
    for _, tables, found in sensor.runs:
        for number in found:
            kind = sensor.feed.events[number - 1][1].type
            assert CONCERNED[kind] <= tables
            started[number] = started.get(number, 0) + 1
    assert set(started.values()) <= {1}, "an event started two runs"
    wanted = {
        event.id
        for _, event in sensor.feed.events
        if CONCERNED[event.type] and event.id not in sensor.known
    }
    assert wanted <= started.keys(), "an event is lost"
    keys = [last for last, *_ in sensor.runs]
    assert len(set(keys)) == len(keys), "Dagster would not start the second run of a key"


@given(st.lists(step, max_size=12))
def test_every_event_starts_exactly_one_run(steps: list[dict[str, Any]]) -> None:
    feed = Feed()
    sensor = Sensor(feed)
    for each in steps:
        feed.now += each["seconds"]
        for kind, delay in each["written"]:
            feed.write(kind, delay)
        sensor.tick(each["outcome"])
    for _ in range(2):
        feed.now += 251
        sensor.tick("tick")
    check(sensor)


@given(st.lists(st.tuples(st.integers(0, 240), st.booleans()), min_size=1, max_size=6))
def test_more_events_than_a_page_are_covered(bursts: list[tuple[int, bool]]) -> None:
    """The run of a full page reads all tables with events, those of hidden events too."""
    feed = Feed()
    sensor = Sensor(feed)
    for size, is_locked in [*bursts, (0, False)]:
        feed.now += 30
        for number in range(size):
            feed.write("customer.updated" if number else "invoice.paid", 0)
        before = len(sensor.runs)
        sensor.tick("lock is held" if is_locked else "tick")
        assert len(sensor.runs) - before <= 1
    written = {event.id for _, event in feed.events}
    shown = {number for *_, found in sensor.runs for number in found}
    for hidden in written - shown:
        later = [tables for last, tables, _ in sensor.runs if last > hidden]
        assert any(TABLES - {"plans"} <= tables for tables in later)
