"""The clock of the history: actions in order of time, ids that rise with it, records handed out."""

import heapq
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.business_time import DAY, HOUR, add_months
from invoiced_emulator.seed.simulation.catalog import Catalog
from invoiced_emulator.seed.simulation.kinds import Kind

MONTHS_BACK = 26
"""How far the simulation reaches back: a start date one year ago leaves some of it out."""

_FIRST_EVENT_ID = 11_000_000
_SITE = "https://example.invoiced.example"

_CAUSED_BY = {"viewed": "customer", "approved": "customer", "paid": "invoiced", "updated": "api"}
"""Who is behind a change; the company's own people (`team`) where nothing is said."""

_TEAM_USER, _NO_USER = 1_970, -2


class Simulation:
    """Runs actions in order of time and collects the records they complete.

    Whatever an action creates is created at `clock`, so ids and event ids rise with time. Only
    what is still to happen is held, never the whole simulation.
    """

    def __init__(self, *, seed: int, now: int, tiers: bool) -> None:
        self.random = Random(seed)  # noqa: S311  a seed must repeat itself
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

    def at(self, moment: int, action: Callable[..., None], *arguments: Any) -> None:
        """Plans an action; one that lies after now never happens."""
        if moment <= self.now:
            self._sequence += 1
            heapq.heappush(self._actions, (moment, self._sequence, action, arguments))

    def run(self) -> Iterator[tuple[str, Record]]:
        """Carries out all actions and yields the records as they are completed."""
        while self._actions:
            self.clock, _, action, arguments = heapq.heappop(self._actions)
            action(*arguments)
            if self._ready:
                yield from self._ready
                self._ready.clear()

    def emit(self, collection: str, record: Record) -> None:
        """Hands out a record that will not change any more."""
        self._ready.append((collection, record))

    def next_id(self, name: str, first: int = 1_000) -> int:
        """The next id; with gaps, as the service counts for all its accounts together."""
        chosen = self._ids.get(name, first) + 1 + int(self.random.random() * 3)
        self._ids[name] = chosen
        return chosen

    def next_number(self, prefix: str) -> str:
        """The next document number, e.g. `INV-00042`."""
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
        """Writes the event of a change that happens now."""
        hidden = kind.hidden
        shown = {name: value for name, value in record.items() if name not in hidden}
        if account is not None and "customer" in shown:
            shown["customer"] = account.shown
        if kind.name == "subscription":
            shown["plan"] = self.catalog.version(record["plan_id"])
        data: Record = {"object": shown}
        if previous is not None:
            data["previous"] = previous
        source = _CAUSED_BY.get(change, "team")
        user = _TEAM_USER if source == "team" else _NO_USER
        self.emit(
            "events",
            {
                "id": self.next_id("event", _FIRST_EVENT_ID),
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
