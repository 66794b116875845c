"""The changes of one request, stored in one transaction, and their events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from invoiced_emulator.protocol.account import Account
from invoiced_emulator.protocol.clock import Clock
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.store import Store
from invoiced_emulator.records.webhook_deliveries import enqueue

Record = dict[str, Any]


@dataclass(slots=True)
class _Change:
    """The changes of one record in this request."""

    collection: str
    record_id: int | str
    created: bool = False
    before: Record | None = None
    deleted: Record | None = None
    """Snapshot from before the deletion."""
    name: str | None = None
    """Event name instead of `updated`."""
    additional: list[str] = field(default_factory=list)
    extra: Record = field(default_factory=dict)


class UnitOfWork:
    """Collects the changes of a request; `finish` writes one event per record."""

    def __init__(self, store: Store, account: Account, clock: Clock) -> None:
        self.store = store
        self.account = account
        self.clock = clock
        self._changes: dict[tuple[str, int | str], _Change] = {}

    def create(self, collection: str, record: Record, *, silent: bool = False) -> Record:
        """Stores a new record with timestamps, and an id if it has none."""
        kind, now = KINDS[collection], self.clock.now()
        key = self.store.next_key(collection)
        record = {"id": key, "created_at": now, "updated_at": now, **record}
        if kind.versioned:
            record["internal_id"] = key
        if kind.object is not None:
            record["object"] = kind.object
        self.store.put(collection, record)
        if not silent:
            self._change(collection, record["id"]).created = True
        return record

    def save(
        self, collection: str, before: Record, after: Record, *, silent: bool = False
    ) -> Record:
        """Stores a changed record with a new `updated_at`."""
        after = {**after, "updated_at": self.clock.now()}
        self.store.put(collection, after)
        if not silent:
            change = self._change(collection, after["id"])
            change.before = change.before or before
        return after

    def delete(self, collection: str, record: Record, *, silent: bool = False) -> None:
        """Deletes a record; its event holds the record as it was."""
        if not silent:
            self._change(collection, record["id"]).deleted = self.snapshot(collection, record)
        self.store.remove(collection, record["id"])

    def name_event(self, collection: str, record_id: int | str, name: str) -> None:
        """Names the event of a change, e.g. `paid` instead of `updated`."""
        self._change(collection, record_id).name = name

    def add_event(
        self, collection: str, record: Record, name: str, extra: Record | None = None
    ) -> None:
        """Adds an event to that of the change, e.g. `completed`."""
        change = self._change(collection, record["id"])
        change.additional.append(name)
        change.extra = extra or {}

    def finish(self) -> None:
        """Writes the events, in the order in which the records were changed first."""
        for change in self._changes.values():
            self._write_events(change)
        self._changes.clear()

    def snapshot(self, collection: str, record: Record) -> Record:
        """Returns a record as events show it: visible fields, with customer and plan expanded."""
        kind = KINDS[collection]
        shown = kind.visible(record)
        if collection == "payments":
            shown["applied_to"] = record.get("applied_to", [])
        charge = self.store.get("charges", shown["charge"]) if collection == "refunds" else None
        if charge is not None:
            shown["charge"] = self.snapshot("charges", charge)
        for name in ("customer", "plan"):
            related = kind.relations.get(name)
            if related is not None and shown.get(name) is not None:
                found = self.store.get(related, shown[name])
                if found is not None:
                    shown[name] = KINDS[related].visible(found)
        return shown

    def _change(self, collection: str, record_id: int | str) -> _Change:
        return self._changes.setdefault((collection, record_id), _Change(collection, record_id))

    def _write_events(self, change: _Change) -> None:
        prefix = KINDS[change.collection].event
        if prefix is None or (change.created and change.deleted is not None):
            return
        if change.deleted is not None:
            self._write(f"{prefix}.deleted", {"object": change.deleted})
            return
        record = self.store.get(change.collection, change.record_id)
        if record is None:
            return
        snapshot = self.snapshot(change.collection, record)
        if change.created:
            self._write(f"{prefix}.created", {"object": snapshot})
        elif change.before is not None:
            previous = changed(change.before, record, KINDS[change.collection].hidden)
            if previous:
                name = change.name or "updated"
                self._write(f"{prefix}.{name}", {"object": snapshot, "previous": previous})
        for name in change.additional:
            self._write(f"{prefix}.{name}", {"object": snapshot | change.extra})

    def _write(self, event_type: str, data: Record) -> None:
        key = self.store.next_key("events")
        event = {
            "id": key,
            "type": event_type,
            "timestamp": self.clock.now(),
            "data": data,
            "source": "api",
            "user_id": -2,
            "user": {"id": -2, "email": None, "first_name": None, "last_name": None},
            "message": None,
            "href": None,
        }
        self.store.put("events", event)
        enqueue(self.store, event)


def changed(before: Mapping[str, Any], after: Mapping[str, Any], hidden: frozenset[str]) -> Record:
    """Returns the old values of visible fields that differ; `updated_at` does not count."""
    return {
        name: before.get(name)
        for name in sorted(before.keys() | after.keys())
        if name not in hidden and name != "updated_at" and before.get(name) != after.get(name)
    }
