"""A push: open outcomes are established, then the plan's rows are sent, each exactly once."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from invoiced_pipeline.catalog.operations import operation as operation_called
from invoiced_pipeline.exceptions import (
    DatasetMismatchError,
    FeatureNotEnabledError,
    PermissionDeniedError,
    PushRefusedError,
    RequestRefusedError,
)
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.writeback.ledger.keys import fingerprint
from invoiced_pipeline.writeback.ledger.ledger import Ledger
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.plan.redaction import redacted_plan
from invoiced_pipeline.writeback.plan.request import Unit
from invoiced_pipeline.writeback.plan.row_planner import NO_RETRIES, Retries
from invoiced_pipeline.writeback.push.adoption import adopt
from invoiced_pipeline.writeback.push.dispatcher import Dispatcher
from invoiced_pipeline.writeback.push.ledger_session import Book
from invoiced_pipeline.writeback.push.replica_upsert import upsert_answers
from invoiced_pipeline.writeback.push.report import PushReport
from invoiced_pipeline.writeback.push.reporting import fill_report
from invoiced_pipeline.writeback.push.response_webhook import deliver_answers
from invoiced_pipeline.writeback.push.selection import note_unsent, sendable_units
from invoiced_pipeline.writeback.push.sender import Sender, longest_run
from invoiced_pipeline.writeback.push.target import Target
from invoiced_pipeline.writeback.push.transitions import Author
from invoiced_pipeline.writeback.recovery.settler import Settler, clock_difference

logger = logging.getLogger(__name__)

_MOST_ROUNDS = 4
"""Sending, and sending again what surely was not carried out; what then is left stays open."""


def push(
    target: Target,
    settings: WritebackSettings,
    make_plan: Callable[[], Plan],
    *,
    retries: Retries = NO_RETRIES,
    waits: bool = True,
) -> PushReport:
    """Sends what a plan says, and writes down what came of every row.

    Outcomes that an earlier push left open are looked up first; the plan is made after that.

    Args:
        target: Where to.
        settings: The write-back.
        make_plan: Makes the plan from source, ledger and replica as they are then.
        retries: Rows to send again.
        waits: Whether to wait, two minutes or so, until a request whose answer was lost can no
            longer be running, and to settle it then; else the next push does.

    Raises:
        DatasetMismatchError: The ledger is of another host.
        PushRefusedError: The write-back is not active, or the plan exceeds a limit: nothing was
            sent.
        ApiError: The API cannot be used at all; what was sent until then is in the ledger.
        WarehouseError: The ledger cannot be written.
    """
    began = time.monotonic()
    run = _Push(target, settings, retries)
    run.settle_open()
    plan = make_plan()
    if run.adopt(plan):
        plan = make_plan()
    refusal = plan.refusal()
    if refusal:
        raise PushRefusedError(refusal)
    report = run.carry_out(plan, waits=waits)
    report.seconds = time.monotonic() - began
    return report


class _Push:
    """One push."""

    def __init__(self, target: Target, settings: WritebackSettings, retries: Retries) -> None:
        self._target = target
        self._settings = settings
        self._retries = retries
        self._tally = Tally()
        self._units: dict[str, Unit] = {}
        self._author = Author(
            writeback=settings.name,
            dataset=target.dataset,
            run_id=target.run_id,
            api_key=fingerprint(target.api_key),
            host=target.host,
            longest_run=longest_run(target.client),
        )
        ledger = Ledger(target.database, target.dataset)
        self._operation = operation_called(settings.operation)
        self._book = Book(
            ledger, self._author, self._operation, privacy=target.privacy, clock=target.clock
        )
        self._check_host()

    def _check_host(self) -> None:
        """Raises where the ledger's rows went to another host: they are not there."""
        hosts = {entry.host for entry in self._book.entries.values() if entry.host}
        others = hosts - {self._author.host}
        if others:
            message = (
                f"The ledger of write-back {self._author.writeback!r} is of {others.pop()}, and "
                f"this connection goes to {self._author.host}: nothing was sent. Set api_url or "
                "sandbox back, or give the write-back another name"
            )
            raise DatasetMismatchError(message)

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

    def adopt(self, plan: Plan) -> int:
        """Notes rows whose records the replica holds already; how many."""
        return adopt(plan, self._book, self._target.database, self._target.dataset)

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
        note_unsent(redacted_plan(plan, self._target.privacy), self._book, self._target.run_id)
        pending = sendable_units(plan, self._book, self._target.dataset, self._retries)
        stopped = self._send_in_rounds(plan, pending, waits=waits)
        self._book.flush()
        report.stopped = stopped
        self._keep_answers(plan, report)
        fill_report(report, plan, self._book)
        return report

    def _keep_answers(self, plan: Plan, report: PushReport) -> None:
        url = plan.settings.response_url
        notes = [
            upsert_answers(self._target, plan.operation, self._book.answered),
            deliver_answers(url, self._book.responses) if url and self._book.responses else None,
        ]
        report.notes += [note for note in notes if note]

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
        units = {key: unit for unit in pending for key in unit.keys}
        for _ in range(_MOST_ROUNDS):
            dispatcher = Dispatcher(sender, self._book, self._target.client.limit.capacity)
            dispatcher.run(pending)
            if dispatcher.error is not None:
                raise dispatcher.error
            if dispatcher.stopped:
                return dispatcher.stopped
            open_again = [units[key] for key in self._book.take_reopened() if key in units]
            lost = [*dispatcher.lost, *open_again]
            pending = self._left_to_send(lost, dispatcher.left, waits=waits)
            if not pending:
                return None
        return None

    def _left_to_send(
        self, lost: Sequence[Unit], left: Iterable[Unit], *, waits: bool
    ) -> list[Unit]:
        """Units whose answer was lost and that were surely not carried out, and those behind."""
        if not lost:
            return []
        self._units = {key: unit for unit in lost for key in unit.keys}
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
                "No answer to %s, which may still be carried out. Waiting %.0f s before looking up "
                "again what became of it",
                counted(len(units), "request"),
                seconds,
            )
            self._target.clock.pause(seconds)

    def _is_open(self, unit: Unit) -> bool:
        return "sent" in self._states(unit)

    def _states(self, unit: Unit) -> set[str]:
        return {self._state(key) for key in unit.keys}

    def _state(self, key: str) -> str:
        return self._book.entry(key).state

    def _clock_ahead(self) -> timedelta:
        """How far the API's clock is ahead of ours at this moment.

        Raises:
            ApiError: The API cannot be used.
        """
        key = self._operation.natural_key
        path = key.list_path if key and "{" not in key.list_path else "/customers"
        try:
            answer = self._target.client.list_page(path, (("per_page", "1"),), self._tally)
            server_time = answer.server_time
        except (PermissionDeniedError, FeatureNotEnabledError, RequestRefusedError):
            server_time = None  # the key may write and not read
        return clock_difference(server_time, self._target.clock.now())
