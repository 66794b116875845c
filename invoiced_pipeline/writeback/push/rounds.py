"""Rounds of sending: what was surely not carried out is sent again, with the rows behind it."""

from collections.abc import Iterable, Sequence

from invoiced_pipeline.writeback.plan.request import OutgoingRequest
from invoiced_pipeline.writeback.push.dispatcher import Dispatcher
from invoiced_pipeline.writeback.push.ledger_session import LedgerSession
from invoiced_pipeline.writeback.push.open_outcomes import OpenOutcomes
from invoiced_pipeline.writeback.push.sender import Sender

_MAX_ROUNDS = 4
"""Rounds of a push; what is open after the last one stays open."""


class SendingRounds:
    """Sends requests until nothing is left that may be sent.

    Args:
        sender: Sends one request.
        ledger: The push's entries.
        open_outcomes: Looks up requests whose response was lost.
        at_once: Requests in parallel.
        waits: Whether to wait until a request whose response was lost can no longer be running.
    """

    def __init__(
        self,
        sender: Sender,
        ledger: LedgerSession,
        open_outcomes: OpenOutcomes,
        *,
        at_once: int,
        waits: bool,
    ) -> None:
        self._sender = sender
        self._ledger = ledger
        self._open_outcomes = open_outcomes
        self._at_once = at_once
        self._waits = waits

    def run(self, requests: list[OutgoingRequest]) -> str | None:
        """Sends requests; returns why sending stopped early, None where it did not.

        Raises:
            ApiError: The API cannot be used at all.
        """
        if not requests:
            return None
        self._open_outcomes.clock_ahead()  # the API is up and accepts the key: now requests may go
        by_key = {key: request for request in requests for key in request.keys}
        for _ in range(_MAX_ROUNDS):
            dispatcher = Dispatcher(self._sender, self._ledger, self._at_once)
            dispatcher.run(requests)
            if dispatcher.error is not None:
                raise dispatcher.error
            if dispatcher.stopped:
                return dispatcher.stopped
            reopened = [by_key[key] for key in self._ledger.take_reopened() if key in by_key]
            requests = self._next_round([*dispatcher.lost, *reopened], dispatcher.unsent)
            if not requests:
                return None
        return None

    def _next_round(
        self, lost: Sequence[OutgoingRequest], unsent: Iterable[OutgoingRequest]
    ) -> list[OutgoingRequest]:
        """Resolves lost responses; returns requests surely not carried out, and those behind."""
        if not lost:
            return []
        by_key = {key: request for request in lost for key in request.keys}
        self._open_outcomes.resolve(by_key)
        still_open = [request for request in lost if "sent" in self._states(request)]
        if still_open and self._waits:
            self._open_outcomes.wait_for(still_open)
            self._open_outcomes.resolve(by_key)
        again = [request for request in lost if self._states(request) == {"planned"}]
        again_keys = {key for request in again for key in request.keys}
        freed = [
            request
            for request in unsent
            if all(
                key in again_keys or self._ledger.entry(key).state == "succeeded"
                for key in request.keys
            )
        ]
        return [*again, *freed]

    def _states(self, request: OutgoingRequest) -> set[str]:
        return {self._ledger.entry(key).state for key in request.keys}
