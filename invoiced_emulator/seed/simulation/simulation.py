"""Runs actions in order of time and emits their records."""

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.business_time import DAY, HOUR, add_months
from invoiced_emulator.seed.simulation.catalog import Catalog
from invoiced_emulator.seed.simulation.kinds import Kind

MONTHS_BACK = 26
"""A start date one year ago leaves some records out."""

_FIRST_EVENT_ID = 11_000_000
_SITE = "https://example.invoiced.example"

_CAUSED_BY = {"viewed": "customer", "approved": "customer", "paid": "invoiced", "updated": "api"}
"""The source of a change; `team` for other changes."""

_TEAM_USER, _NO_USER = 1_970, -2


class Simulation:
    """A simulated account: its time, ids, customers and planned actions.

    An action creates its records at `clock`, so ids rise with time. Only planned actions are in
    memory, never all records.
    """

    def __init__(self, *, seed: int, now: int, tiers: bool) -> None:
        self.random = Random(seed)  # noqa: S311  the same seed must give the same records
        self.extras = Random(f"{seed} extras")  # noqa: S311
        """Draws numbers for kinds that were added later, so that the others stay as they were."""
        self.now = now
        self.start = add_months(now // DAY * DAY, -MONTHS_BACK) + 9 * HOUR
        self.clock = self.start
        self.catalog = Catalog(start=self.start, now=now, tiers=tiers)
        self.accounts: list[Account] = []
        self._actions: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._sequence = 0
        self._ids: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._ready: list[tuple[str, Record]] = []

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Draws from another random source meanwhile, so that all other records stay the same."""
        self.random, kept = self.extras, self.random
        try:
            yield
        finally:
            self.random = kept

    def at(self, moment: int, action: Callable[..., None], *arguments: Any) -> None:
        """Plans an action; an action after now never runs."""
        if moment <= self.now:
            self._sequence += 1
            heapq.heappush(self._actions, (moment, self._sequence, action, arguments))

    def run(self) -> Iterator[tuple[str, Record]]:
        """Runs all actions and yields records once they are final."""
        while self._actions:
            self.clock, _, action, arguments = heapq.heappop(self._actions)
            action(*arguments)
            if self._ready:
                yield from self._ready
                self._ready.clear()

    def emit(self, collection: str, record: Record) -> None:
        """Emits a record that is final."""
        self._ready.append((collection, record))

    def next_id(self, name: str, first: int = 1_000, random: Random | None = None) -> int:
        """Returns the next id, with gaps, since Invoiced counts for all accounts together."""
        chosen = self._ids.get(name, first) + 1 + int((random or self.random).random() * 3)
        self._ids[name] = chosen
        return chosen

    def next_number(self, prefix: str) -> str:
        """Returns the next document number, e.g. `INV-00042`."""
        count = self._numbers.get(prefix, 0) + 1
        self._numbers[prefix] = count
        return f"{prefix}-{count:05d}"

    def token(self) -> str:
        """Returns 24 random hexadecimal digits."""
        return f"{self.random.getrandbits(96):024x}"

    def link(self, collection: str) -> str:
        """Returns the address of a new page about a record of a collection."""
        return f"{_SITE}/{collection}/{self.token()}"

    def emit_event(
        self,
        kind: Kind,
        change: str,
        record: Record,
        account: Account | None = None,
        previous: Record | None = None,
    ) -> None:
        """Emits the event of a change that happens now."""
        hidden = kind.hidden
        shown = {name: value for name, value in record.items() if name not in hidden}
        if account is not None and "customer" in shown:
            shown["customer"] = account.shown
        if kind.name == "subscription":
            shown["plan"] = self.catalog.version(record["plan_id"])
        data: Record = {"object": shown}
        if previous is not None:
            data["previous"] = previous
        random = self.extras if kind.is_extra else self.random
        source = _CAUSED_BY.get(change, "team")
        user = _TEAM_USER if source == "team" else _NO_USER
        self.emit(
            "events",
            {
                "id": self.next_id("event", _FIRST_EVENT_ID, random),
                "type": f"{kind.name}.{change}",
                "timestamp": self.clock,
                "data": data,
                "source": source,
                "user_id": user,
                "user": {"id": user, "email": None, "first_name": None, "last_name": None},
                "message": None,
                "href": None,
            },
        )
