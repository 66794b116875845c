"""The table `events`: append-only, with private values hidden inside, and a retention."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from invoiced_emulator.run import fill
from invoiced_emulator.server import Emulator
from invoiced_pipeline.windows import from_epoch
from invoiced_pipeline_tests.conftest import NOW, Replica

EMAIL, FORMER = "jane@example.com", "jane.doe@example.org"
NAME = "Jane Doe & Sons"
CARD_EMAIL = "receipts@example.net"


def event(number: int, at: int, kind: str = "invoice.updated", **data: Any) -> dict[str, Any]:
    return {"id": number, "type": kind, "timestamp": at, "data": data or {"object": {}}}


def private_event(number: int = 1, at: int = NOW - 5000) -> dict[str, Any]:
    card = {"object": "card", "id": 5, "receipt_email": CARD_EMAIL, "last4": "4242"}
    party = {"object": "customer", "id": 7, "name": NAME, "email": EMAIL, "tax_id": "DE999999"}
    party |= {"notes": f"Write to {EMAIL.upper()}", "payment_source": card, "metadata": {}}
    record = {"object": "invoice", "id": 9, "name": "Invoice", "customer": party, "total": 10.50}
    return event(number, at, object=record | {"notes": "call first", "payment_source": card})


def former_event(number: int = 2, at: int = NOW - 4000) -> dict[str, Any]:
    record = {"object": "customer", "id": 7, "name": NAME, "email": EMAIL, "tax_id": None}
    return event(
        number, at, "customer.updated", object=record, previous={"email": FORMER, "name": "Jane"}
    )


@pytest.fixture
def events(replicate: Replica) -> Replica:
    replicate.tables = {"optional": ["events"]}
    return replicate


def clear(events: Replica) -> str:
    """Everything that the rows hold."""
    return json.dumps(events.rows("events"), default=str)


def test_events_are_appended(emulator: Emulator, events: Replica) -> None:
    fill(emulator.store, seed=1, customers=20, now=NOW - 3600)
    report = events.ok("events")["events"]
    stored = {record["id"]: record for record in emulator.store.all("events")}
    rows = {row["id"]: row for row in events.rows("events")}
    assert rows.keys() == stored.keys()
    assert report.rows == len(rows) > 500
    for key, row in rows.items():
        assert row["type"] == stored[key]["type"]
        assert row["timestamp"] == from_epoch(stored[key]["timestamp"])
        assert row["_extra"] is None
        assert json.loads(row["user"])["id"] == stored[key]["user_id"]
        assert json.loads(row["data"])["object"]["id"] == stored[key]["data"]["object"]["id"]
    emulator.clock.advance(3600)
    emulator.store.put("events", event(99_000_000, NOW + 1800))
    report = events.ok("events")["events"]
    assert (report.rows, report.pages) == (1, 1)
    assert len(events.ids("events")) == len(stored) + 1


def test_the_start_date_counts_for_the_event(emulator: Emulator, events: Replica) -> None:
    days = [NOW - days * 86_400 for days in range(200)]
    emulator.store.put_many("events", (event(1000 - at, day) for at, day in enumerate(days)))
    events.ok("events", start=from_epoch(days[20]))
    assert events.ids("events") == list(range(980, 1001))
    events.ok("events", start=from_epoch(days[150]))
    assert len(events.ids("events")) == 151


def test_many_events_are_read_in_parts(emulator: Emulator, events: Replica) -> None:
    emulator.store.put_many(
        "events", (event(one, NOW - 9_000_000 + one * 2000) for one in range(1, 4001))
    )
    report = events.ok("events")["events"]
    assert report.rows == 4000
    assert events.ids("events") == list(range(1, 4001))
    assert report.tally.requests < 48


PRIVATE = {"customers": {"hash": ["email"], "drop": ["name", "tax_id"]}}
DOCUMENT = {"invoices": {"drop": ["notes"]}}


@pytest.mark.everywhere
def test_hidden_columns_are_hidden_inside_events(emulator: Emulator, events: Replica) -> None:
    """In rows loaded before the setting, and in those loaded since."""
    emulator.store.put_many("events", [private_event(), former_event()])
    events.ok("events")
    assert EMAIL in clear(events)
    events.tables |= PRIVATE | DOCUMENT
    emulator.clock.advance(3600)
    emulator.store.put_many("events", [private_event(3, NOW), former_event(4, NOW)])
    events.ok("events")
    assert events.ids("events") == [1, 2, 3, 4]
    # A receipt's address is personal as well, wherever a card is.
    for secret in (EMAIL, FORMER, NAME, "DE999999", "call first", '"Jane"', CARD_EMAIL):
        assert secret.lower() not in clear(events).lower()
    data = [json.loads(row["data"]) for row in events.rows("events")]
    assert data[:2] == data[2:]
    private, former = data[:2]
    hashed = private["object"]["customer"]["email"]
    assert len(hashed) == 64
    assert former["object"]["email"] == hashed
    assert len(former["previous"]["email"]) == 64
    assert former["previous"]["name"] is None
    assert private["object"]["name"] == "Invoice"
    assert private["object"]["total"] == 10.5
    assert private["object"]["customer"]["notes"] == f"Write to {hashed}"
    assert private["object"]["payment_source"]["last4"] == "4242"


def test_an_excluded_column_stays_in_events(emulator: Emulator, events: Replica) -> None:
    emulator.store.put("events", private_event())
    events.tables |= {"customers": {"exclude": ["email"]}}
    events.ok("events")
    assert EMAIL in clear(events)


def test_rejected_events_hide_the_same_values(emulator: Emulator, events: Replica) -> None:
    emulator.store.put("events", private_event() | {"timestamp": 10**15})
    events.tables |= PRIVATE
    assert events("events")["events"].rejected == 1
    assert EMAIL not in json.dumps(events.rows("_rejected"), default=str)


def test_old_events_are_removed_and_come_back_with_a_longer_retention(
    emulator: Emulator, events: Replica
) -> None:
    now = int(datetime.now(UTC).timestamp())
    emulator.clock.set(now)
    ages = {one: now - one * 86_400 for one in (1, 10, 40, 400)}
    emulator.store.put_many("events", (event(1000 - one, at) for one, at in ages.items()))
    events.ok("events")
    assert events.ids("events") == [600, 960, 990, 999]
    events.tables["events"] = {"retention_days": 30}
    report = events.ok("events")["events"]
    assert events.ids("events") == [990, 999]
    assert report.coverage.since
    assert report.coverage.since >= datetime.now(UTC) - timedelta(days=31)
    events.tables["events"] = {"retention_days": 90}
    events.ok("events")
    assert events.ids("events") == [960, 990, 999]
    assert events.ok("events")["events"].rows == 0


def test_a_sweep_leaves_events_alone(emulator: Emulator, events: Replica) -> None:
    emulator.store.put("events", event(1, NOW - 5000))
    events.ok("events")
    emulator.store.remove("events", 1)
    assert events.sweep("events") == {}
    assert [row["_deleted_at"] for row in events.rows("events")] == [None]
