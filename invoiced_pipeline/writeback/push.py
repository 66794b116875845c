"""A push: open outcomes are established, then the plan's rows are sent, each exactly once."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from pydantic import SecretStr

from invoiced_pipeline.catalog.operations import operation as operation_called
from invoiced_pipeline.exceptions import (
    FeatureNotEnabledError,
    PermissionDeniedError,
    PushRefusedError,
    RequestRefusedError,
)
from invoiced_pipeline.invoiced.client import InvoicedClient
from invoiced_pipeline.invoiced.tally import Tally
from invoiced_pipeline.settings import Deletions, WritebackSettings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.book import Book
from invoiced_pipeline.writeback.clock import Clock, SystemClock
from invoiced_pipeline.writeback.dispatcher import Dispatcher
from invoiced_pipeline.writeback.keys import fingerprint, marker
from invoiced_pipeline.writeback.ledger import Entry, Ledger
from invoiced_pipeline.writeback.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.report import PushReport
from invoiced_pipeline.writeback.reporting import fill_report
from invoiced_pipeline.writeback.sender import Sender, longest_run
from invoiced_pipeline.writeback.settling import Settler, clock_difference
from invoiced_pipeline.writeback.transitions import Author
from invoiced_pipeline.writeback.unit import Unit, needs_marker, units_of

logger = logging.getLogger(__name__)

_MOST_ROUNDS = 4
"""Sending, and sending again what surely was not carried out; what then is left stays open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a push goes, and where it keeps what it did.

    Attributes:
        client: Of the account; reader and pushes share its limit on requests in flight.
        api_key: The key that the client sends; only its fingerprint is kept.
        database: The warehouse. The caller holds the writer's lock.
        dataset: The schema of ledger, answers and replica.
        run_id: The run.
        deletions: What becomes of the replica's rows whose records are deleted.
        clock: The time.
    """

    client: InvoicedClient
    api_key: SecretStr
    database: Database
    dataset: str
    run_id: str
    deletions: Deletions = "mark"
    clock: Clock = field(default_factory=SystemClock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Which rows are sent again although nothing in them changed.

    Attributes:
        rejected: Whether all rejected ones are.
        record_keys: Rows that are sent whatever their state: a person has looked that an unknown
            one's record is not there.
    """

    rejected: bool = False
    record_keys: frozenset[str] = frozenset()

    def takes(self, entry: Entry) -> bool:
        """Whether a row is sent again."""
        named = entry.record_key in self.record_keys
        return named or (self.rejected and entry.state == "rejected")


NO_RETRY = Retry()


def push(
    target: Target,
    settings: WritebackSettings,
    make_plan: Callable[[], Plan],
    *,
    retry: Retry = NO_RETRY,
    waits: bool = True,
) -> PushReport:
    """Sends what a plan says, and writes down what came of every row.

    Outcomes that an earlier push left open are looked up first; the plan is made after that.

    Args:
        target: Where to.
        settings: The write-back.
        make_plan: Makes the plan from source, ledger and replica as they are then.
        retry: Rows to send again.
        waits: Whether to wait, two minutes or so, until a request whose answer was lost can no
            longer be running, and to settle it then; else the next push does.

    Raises:
        PushRefusedError: The write-back is not active, or the plan exceeds a limit: nothing was
            sent.
        ApiError: The API cannot be used at all; what was sent until then is in the ledger.
        WarehouseError: The ledger cannot be written.
    """
    began = time.monotonic()
    run = _Push(target, settings, retry)
    run.settle_open()
    plan = make_plan()
    refusal = plan.refusal()
    if refusal:
        raise PushRefusedError(refusal)
    report = run.carry_out(plan, waits=waits)
    report.seconds = time.monotonic() - began
    return report


class _Push:
    """One push."""

    def __init__(self, target: Target, settings: WritebackSettings, retry: Retry) -> None:
        self._target = target
        self._settings = settings
        self._retry = retry
        self._tally = Tally()
        self._ahead: timedelta | None = None
        self._units: dict[str, Unit] = {}
        self._author = Author(
            writeback=settings.name,
            dataset=target.dataset,
            run_id=target.run_id,
            api_key=fingerprint(target.api_key),
            host=target.client.base_url,
            longest_run=longest_run(target.client),
        )
        ledger = Ledger(target.database, target.dataset)
        self._operation = operation_called(settings.operation)
        self._book = Book(ledger, self._author, self._operation, target.clock)

    def settle_open(self) -> None:
        """Looks up what became of requests without an answer; nothing is sent."""
        open_entries = [each for each in self._book.entries.values() if each.state == "sent"]
        if not open_entries:
            return
        settler = Settler(self._target.client, self._target.clock, self._clock_ahead())
        for found in settler.settle(open_entries, self._book.entries.values()):
            unit = self._units.get(found.entry.record_key)
            self._book.settle(found, unit)
        self._book.flush()

    def carry_out(self, plan: Plan, *, waits: bool) -> PushReport:
        """Sends the plan's rows, in rounds until nothing is left that can be sent."""
        report = PushReport(
            writeback=plan.settings.name,
            operation=plan.operation.name,
            rows=len(plan.rows),
            notes=list(plan.notes),
            tally=self._tally,
            reject_share=plan.settings.reject_share,
        )
        self._note_unsent(plan)
        pending = self._sendable(plan)
        self._units = {key: unit for unit in pending for key in unit.keys}
        stopped = self._send_in_rounds(plan, pending, waits=waits)
        self._book.flush()
        report.stopped = stopped
        fill_report(report, plan, self._book)
        return report

    def _send_in_rounds(self, plan: Plan, pending: list[Unit], *, waits: bool) -> str | None:
        """Why sending stopped early; None where it did not."""
        if not pending:
            return None
        self._clock_ahead()  # and so the API is there, and knows the key, before anything is sent
        sender = Sender(
            self._target.client,
            plan.operation,
            headers=plan.settings.headers,
            clock=self._target.clock,
            tally=self._tally,
        )
        for _ in range(_MOST_ROUNDS):
            dispatcher = Dispatcher(sender, self._book, self._target.client.limit.capacity)
            dispatcher.run(pending)
            if dispatcher.error is not None:
                raise dispatcher.error
            if dispatcher.stopped:
                return dispatcher.stopped
            pending = self._left_to_send(pending, dispatcher.left, waits=waits)
            if not pending:
                return None
        return None

    def _left_to_send(
        self, sent: Sequence[Unit], left: Iterable[Unit], *, waits: bool
    ) -> list[Unit]:
        """Units that were not carried out, surely, and those that waited for them."""
        lost = [unit for unit in sent if self._is_open(unit)]
        if not lost:
            return []
        self.settle_open()
        still_open = [unit for unit in lost if self._is_open(unit)]
        if still_open and waits:
            self._wait_for(still_open)
            self.settle_open()
        again = [unit for unit in lost if self._states(unit) == {"planned"}]
        moving = {key for unit in again for key in unit.keys}
        freed = [
            unit
            for unit in left
            if all(key in moving or self._state(key) == "succeeded" for key in unit.keys)
        ]
        return [*again, *freed]

    def _wait_for(self, units: Sequence[Unit]) -> None:
        """Waits until no request of these can still be running."""
        entries = [self._book.entry(key) for unit in units for key in unit.keys]
        until = max(entry.may_run_until for entry in entries if entry.may_run_until is not None)
        seconds = (until - self._target.clock.now()).total_seconds()
        if seconds > 0:
            logger.warning(
                "%d requests had no answer, and may still be carried out. Waiting %.0f s before "
                "they are looked up again",
                len(units),
                seconds,
            )
            self._target.clock.pause(seconds)

    def _note_unsent(self, plan: Plan) -> None:
        """Writes down invalid and held rows; an open outcome is never overwritten."""
        sending = {row.record_key for row in plan.to_send}
        for row in plan.rows:
            entry = self._book.entry(row.record_key)
            if (
                row.action not in {"invalid", "held"}
                or row.record_key in sending
                or entry.state in {"sent", "unknown"}
            ):
                continue
            new = replace(
                entry,
                state="invalid" if row.action == "invalid" else "held",
                payload_hash=row.payload_hash,
                error=row.reason,
                error_param=row.reason_param,
                status_code=None,
            )
            if new != entry:
                self._book.put(replace(new, run_id=self._target.run_id))
        self._book.flush()

    def _sendable(self, plan: Plan) -> list[Unit]:
        """The plan's rows that may go out, as units."""
        rows = [row for row in plan.to_send if self._may_send(row)]
        marks = {
            row.record_key: marker(self._target.dataset, plan.settings.name, row.record_key)
            for row in rows
            if needs_marker(plan.operation, row)
        }
        return units_of(rows, marks)

    def _may_send(self, row: PlannedRow) -> bool:
        entry = self._book.entry(row.record_key)
        if self._retry.takes(entry) and entry.state in {"rejected", "unknown"}:
            # Never under the key it had: that one's answer is a refusal, or not known.
            self._book.put(replace(entry, state="planned", key_sent_at=None))
            return True
        if entry.state in {"sent", "unknown"}:
            return False
        if entry.state == "rejected" and entry.payload_hash == row.payload_hash:
            return False
        made_before = row.action == "create" and entry.invoiced_id is not None
        return not (made_before and self._operation.kind == "create")

    def _is_open(self, unit: Unit) -> bool:
        return "sent" in self._states(unit)

    def _states(self, unit: Unit) -> set[str]:
        return {self._state(key) for key in unit.keys}

    def _state(self, key: str) -> str:
        return self._book.entry(key).state

    def _clock_ahead(self) -> timedelta:
        """How far the API's clock is ahead of ours; the first request of a push.

        Raises:
            ApiError: The API cannot be used.
        """
        if self._ahead is None:
            key = self._operation.natural_key
            path = key.list_path if key and "{" not in key.list_path else "/customers"
            try:
                answer = self._target.client.list_page(path, (("per_page", "1"),), self._tally)
                server_time = answer.server_time
            except (PermissionDeniedError, FeatureNotEnabledError, RequestRefusedError):
                server_time = None  # the key may write and not read
            self._ahead = clock_difference(server_time, self._target.clock.now())
        return self._ahead
