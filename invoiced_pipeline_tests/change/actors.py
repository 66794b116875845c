"""The actors of an emulated account: they write through its API, at any moment.

Their requests are carried out in the process, not over HTTP: so one can fall between two requests
of a sync, in the very thread that answers them.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from invoiced_emulator.calls.call import Call
from invoiced_emulator.payments.cash_application import unapply
from invoiced_emulator.protocol.errors import ApiError
from invoiced_emulator.protocol.exact_json import decode
from invoiced_emulator.records.unit_of_work import UnitOfWork
from invoiced_emulator.server import Emulator

Record = dict[str, Any]

COLLECTIONS = (
    "customers", "invoices", "credit_notes", "estimates", "subscriptions", "plans",
    "transactions", "payments", "credit_balance_adjustments", "items", "coupons", "tax_rates",
    "notes", "tasks", "charges", "refunds",
)  # fmt: skip


class Actors:
    """Writes to the account."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.store, self.clock = emulator.store, emulator.clock
        self._numbers = itertools.count(1)

    def write(self, method: str, path: str, body: Any = None) -> Any:
        """Carries out one request and returns the decoded answer.

        Raises:
            ApiError: The API refuses it; nothing has changed.
        """
        application = self.emulator.application
        route, arguments = application.routes.find(method, path)
        call = Call(
            shared=application.shared,
            work=UnitOfWork(self.store, self.emulator.account, self.clock),
            method=method,
            path=path,
            base=self.emulator.url,
            query={},
            body=body or {},
            arguments=arguments,
        )
        with self.store.transaction():
            answer = route.handler(call)
            call.work.finish()
        return decode(answer.body) if answer.body else None

    def take_back(self, payment: Record) -> None:
        """Deletes a payment as an accounting integration can: no route of the API does."""
        work = UnitOfWork(self.store, self.emulator.account, self.clock)
        with self.store.transaction():
            for element in payment.get("applied_to") or ():
                unapply(work, payment, element)
            work.delete("payments", payment)
            work.finish()

    def pick(self, collection: str, number: int) -> Record:
        """One of the records that are there.

        Raises:
            ApiError: There is none.
        """
        records = self.store.all(collection)
        if not records:
            raise ApiError(404, f"no {collection}")
        return records[number % len(records)]

    def number(self) -> int:
        """A number that was not given out before."""
        return next(self._numbers)

    @contextmanager
    def late(self, seconds: int) -> Iterator[None]:
        """Whatever is written inside began `seconds` ago and commits now.

        It bears the stamps of then. The database's row locks let no such transaction go behind
        another one's change of the same record: then it begins now.

        Raises:
            ApiError: It was refused; nothing has changed.
        """
        now, before = self.clock.now(), self._stamps()
        try:
            with self.store.transaction():
                self.clock.set(now - seconds)
                yield
                after = self._stamps()
                touched = {key for key in before | after if before.get(key) != after.get(key)}
                if any((before.get(key) or 0) > now - seconds for key in touched):
                    raise OvertakenError
        finally:
            self.clock.set(now)

    def _stamps(self) -> dict[tuple[Any, ...], int | None]:
        rows = self.store.rows(
            "SELECT collection, key, updated_at FROM records WHERE collection <> 'events'"
        )
        return {(collection, key): second for collection, key, second in rows}

    @contextmanager
    def events_lost(self) -> Iterator[None]:
        """No event of what is written inside is ever seen."""
        known = {event["id"] for event in self.store.all("events")}
        yield
        for event in self.store.all("events"):
            if event["id"] not in known:
                self.store.remove("events", event["id"])


class OvertakenError(Exception):
    """A late transaction would have gone behind a newer change of one of its records."""
