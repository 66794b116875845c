"""Requests of a push, or of an earlier one, whose outcome is open: looked up, and waited for."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.exceptions import (
    FeatureNotEnabledError,
    PermissionDeniedError,
    RequestRefusedError,
)
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.writeback.plan.request import OutgoingRequest
from invoiced_pipeline.writeback.push.context import PushContext
from invoiced_pipeline.writeback.push.ledger_session import LedgerSession
from invoiced_pipeline.writeback.recovery.resolver import OutcomeResolver

logger = logging.getLogger(__name__)


class OpenOutcomes:
    """Resolves entries in state `sent`; sends nothing.

    Args:
        context: Account, warehouse and run.
        operation: The operation.
        ledger: The push's entries.
        tally: Counts requests.
    """

    def __init__(
        self, context: PushContext, operation: Operation, ledger: LedgerSession, tally: Tally
    ) -> None:
        self._context = context
        self._operation = operation
        self._ledger = ledger
        self._tally = tally

    def resolve(self, requests: Mapping[str, OutgoingRequest]) -> None:
        """Looks up every open outcome, and writes what was found to the ledger.

        Args:
            requests: Requests of this push by record key, to compare records with what they sent.

        Raises:
            ApiError: The API cannot be used.
        """
        entries = [each for each in self._ledger.entries.values() if each.state == "sent"]
        if not entries:
            return
        ahead = self.clock_ahead()
        resolver = OutcomeResolver(self._context.client, self._context.clock, ahead)
        for resolution in resolver.resolve(entries, self._ledger.entries.values()):
            request = requests.get(resolution.entry.record_key)
            self._ledger.resolve(resolution, request)
        self._ledger.flush()

    def wait_for(self, requests: Sequence[OutgoingRequest]) -> None:
        """Waits until none of the requests can still be running."""
        entries = [self._ledger.entry(key) for request in requests for key in request.keys]
        until = max(entry.may_run_until for entry in entries if entry.may_run_until is not None)
        seconds = (until - self._context.clock.now()).total_seconds()
        if seconds > 0:
            logger.warning(
                "%s got no response and may still be carried out. Waiting %.0f s, then looking up "
                "what became of them",
                counted(len(requests), "request"),
                seconds,
            )
            self._context.clock.pause(seconds)

    def clock_ahead(self) -> timedelta:
        """Asks the API for its time; returns how far its clock is ahead of ours.

        It also shows that the API is up and accepts the key.

        Raises:
            ApiError: The API cannot be used.
        """
        key = self._operation.natural_key
        path = key.list_path if key and "{" not in key.list_path else "/customers"
        try:
            page = self._context.client.list_page(path, (("per_page", "1"),), self._tally)
            server_time = page.server_time
        except (PermissionDeniedError, FeatureNotEnabledError, RequestRefusedError):
            server_time = None  # the key may write, but not read
        return _clock_difference(server_time, self._context.clock.now())


def _clock_difference(server_time: datetime | None, now: datetime) -> timedelta:
    """How far the API's clock is ahead; zero where the API does not tell the time."""
    return timedelta() if server_time is None else server_time - now
