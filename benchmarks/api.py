"""The emulated API in its own process, with a connection to control and query it."""

import multiprocessing
import random
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from invoiced_emulator.server import Emulator

_HOUR = 3600
_STOP_SECONDS = 30
_BEHIND = timedelta(hours=8)


def clock_start() -> int:
    """Returns where the clock of a measured account starts, in epoch seconds (UTC).

    It is a few hours ago: late enough that the tables count as fresh, as they do in operation (a
    stale table gets events in every run), and early enough that no phase passes the present. On the
    first of a month it is not before that month, whose partition would otherwise not be covered:
    until 08:00 UTC of that day, the last phases pass the present, so measure later.
    """
    now = datetime.now(UTC)
    month = now.replace(day=1, hour=0, minute=1, second=0)
    return int(max(now - _BEHIND, month).timestamp())


@dataclass(frozen=True, slots=True)
class Served:
    """What the API did since the last `begin`."""

    requests: int
    cpu_seconds: float


class Api:
    """An account over HTTP; its clock stands still until a method moves it.

    Args:
        database: The account's file; changes are written to it.
        now: Where its clock starts, in epoch seconds (UTC).
    """

    def __init__(self, database: Path, now: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, database, now), name="emulator", daemon=True
        )
        self._theirs = theirs
        self.url = ""
        self.api_key = ""

    def __enter__(self) -> Self:
        self._process.start()
        self._theirs.close()  # otherwise the end of the process would go unnoticed
        self.url, self.api_key = self._connection.recv()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._process.join(_STOP_SECONDS)
        self._process.kill()

    def begin(self, latency_ms: float) -> None:
        """Sets the latency and resets the counters."""
        self._ask("begin", latency_ms)

    def served(self) -> Served:
        """Returns what the API did since `begin`."""
        return self._ask("served")

    def change_invoices(self, count: int) -> None:
        """Changes that many invoices, one per second, always the same ones, then adds an hour."""
        self._ask("change_invoices", count)

    def change_records(self, count: int, collections: tuple[str, ...]) -> None:
        """Changes that many records, the same share of each collection, then adds an hour."""
        self._ask("change_records", count, collections)

    def pass_an_hour(self) -> None:
        """Moves the clock by an hour."""
        self._ask("pass_an_hour")

    def counts(self, tables: tuple[str, ...]) -> dict[str, int]:
        """Counts records by table, including those that lists show only on request."""
        return self._ask("counts", tables)

    def _ask(self, question: str, *arguments: Any) -> Any:
        self._connection.send((question, arguments))
        return self._connection.recv()


def _serve(connection: Connection, database: Path, now: int) -> None:
    from invoiced_emulator.protocol.clock import Clock
    from invoiced_emulator.server import Emulator

    with Emulator(database=database, clock=Clock(now)) as emulator:
        control = _Control(emulator)
        connection.send((emulator.url, emulator.api_key))
        while True:
            try:
                question, arguments = connection.recv()
            except EOFError:  # the parent process has ended
                return
            connection.send(getattr(control, question)(*arguments))


class _Control:
    """The other end of the connection; each method answers one question."""

    def __init__(self, emulator: "Emulator") -> None:
        self._emulator = emulator
        self._cpu = 0.0
        emulator.application.requests = deque()  # unbounded: by default only the last ones are kept

    def begin(self, latency_ms: float) -> None:
        self._emulator.forget()
        self._emulator.faults.latency_ms = latency_ms
        self._cpu = time.process_time()

    def served(self) -> Served:
        return Served(len(self._emulator.requests), time.process_time() - self._cpu)

    def change_invoices(self, count: int) -> None:
        self._change("invoices", count)
        self.pass_an_hour()

    def change_records(self, count: int, collections: tuple[str, ...]) -> None:
        for at, collection in enumerate(collections):
            share = count // len(collections) + (at < count % len(collections))
            self._change(collection, share)
        self.pass_an_hour()

    def _change(self, collection: str, count: int) -> None:
        """Changes up to `count` records, one per second."""
        from invoiced_emulator.records.unit_of_work import UnitOfWork

        store, clock = self._emulator.store, self._emulator.clock
        work = UnitOfWork(store, self._emulator.account, clock)
        sql = "SELECT key FROM records WHERE collection = ? ORDER BY key"
        keys = [row[0] for row in store.rows(sql, (collection,))]
        with store.transaction():
            for key in random.Random(count).sample(keys, min(count, len(keys))):  # noqa: S311 - no secret
                now = clock.advance(1)
                before = store.at(collection, key)
                work.save(collection, before, {**before, "notes": f"Changed at {now}."})
                work.finish()  # writes the event, as a separate request would

    def pass_an_hour(self) -> None:
        self._emulator.clock.advance(_HOUR)

    def counts(self, tables: tuple[str, ...]) -> dict[str, int]:
        return {table: self._emulator.store.count(table) for table in tables}
