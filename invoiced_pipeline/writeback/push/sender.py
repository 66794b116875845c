"""Sends one unit: the request, just before it a look at what it relies on, and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from invoiced_pipeline.catalog.operations import Operation, fill_path
from invoiced_pipeline.exact_json import decode_exact
from invoiced_pipeline.exceptions import AccountInactiveError, ApiError, AuthenticationError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.http.writer import InvoicedWriter, WriteAnswer
from invoiced_pipeline.nesting import TOO_DEEP, shallow
from invoiced_pipeline.writeback.clock import Clock
from invoiced_pipeline.writeback.plan.replaced_fields import read_params
from invoiced_pipeline.writeback.plan.request import Unit
from invoiced_pipeline.writeback.recovery.proof import proven
from invoiced_pipeline.writeback.recovery.verdict import AFTERWARDS
from invoiced_pipeline.writeback.source.operation import included_params
from invoiced_pipeline.writeback.source.parts import MissingPlaceError, merged

LEASE = timedelta(seconds=60)
"""How long after its ledger entry was written a request may still begin: a crash then leaves no
doubt from when on none can be running."""


class LeaseExpiredError(Exception):
    """The ledger's word that the row was sent is too old: it is written again first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to send a unit until a moment, as the ledger knows it.

    Attributes:
        unit: What is sent.
        idempotency_key: Of this attempt.
        record_id: Of the record that the path means, where its row does not know it.
        expires: When the right ends (UTC).
    """

    unit: Unit
    idempotency_key: str | None
    record_id: str | None
    expires: datetime


@dataclass(slots=True, kw_only=True)
class Sent:
    """What came of a unit.

    Attributes:
        answer: The API's, or why there is none.
        started_at: When the last try began (UTC); None where none did.
        record: The record as lists show it, where the answer shows less.
    """

    answer: WriteAnswer
    started_at: datetime | None = None
    record: bytes | None = field(default=None, repr=False)


class Sender:
    """Sends units of one operation; thread-safe.

    Args:
        client: Of the account.
        operation: What is done.
        headers: Extra headers.
        clock: The time.
    """

    def __init__(
        self,
        client: InvoicedClient,
        operation: Operation,
        *,
        headers: Mapping[str, str],
        clock: Clock,
        tally: Tally,
    ) -> None:
        self._client = client
        self._writer = InvoicedWriter(client)
        self._operation = operation
        self._headers = headers
        self._clock = clock
        self._tally = tally

    def send(self, claim: Claim) -> Sent:
        """Sends a unit.

        Raises:
            LeaseExpiredError: The claim is too old; nothing was sent.
            ApiError: The API key opens nothing: nothing else will fare better.
        """
        started: list[datetime] = []

        def on_start() -> None:
            now = self._clock.now()
            if now >= claim.expires:
                raise LeaseExpiredError
            started.append(now)

        changed = self._unexpected(claim)
        if changed is not None:
            return Sent(answer=changed)
        merged = self._merged(claim) if claim.unit.row.reads_first else None
        if isinstance(merged, WriteAnswer):
            return Sent(answer=merged)
        request = claim.unit.request(claim.idempotency_key, claim.record_id, self._headers, merged)
        answer = self._writer.send(request, tally=self._tally, on_start=on_start)
        answer = proven(answer, self._operation, claim.unit.row, claim.record_id)
        sent = Sent(answer=answer, started_at=started[-1] if started else None)
        if answer.result == "succeeded":
            sent.record = self._as_listed(answer.body)
        return sent

    def _unexpected(self, claim: Claim) -> WriteAnswer | None:
        """Why a row is not sent after all: its record has changed since the plan was made."""
        expects = claim.unit.row.expects
        if not expects:
            return None
        row = claim.unit.row
        path = row.path.removesuffix("/void")
        try:
            body = self._client.record(path, (), self._tally)
        except ApiError as error:
            return WriteAnswer(result="unsent", status=error.status, message=str(error))
        if body is None:
            message = f"The {self._operation.singular} was not found: nothing was sent"
            return WriteAnswer(result="refused", status=404, message=message)
        record = msgspec.json.decode(shallow(body))
        for name, value in expects.items():
            if record.get(name) != value:
                message = (
                    f"Its {name} is {record.get(name)!r} by now, and not {value!r} as in the plan: "
                    "nothing was sent. Sync, and look at the plan again"
                )
                return WriteAnswer(result="unsent", message=message, param=name)
        return None

    def _merged(self, claim: Claim) -> dict[str, Any] | WriteAnswer:
        """The body with what the API has of its fields now; else why nothing is sent.

        The API replaces such fields as a whole (observed): what anybody else put there must stay.
        """
        unit, row = claim.unit, claim.unit.row
        path = fill_path(row.path, {"id": claim.record_id}) if claim.record_id else row.path
        try:
            raw = self._client.record(path, read_params(self._operation, row), self._tally)
        except (AuthenticationError, AccountInactiveError):
            raise
        except ApiError as error:
            message = f"The record could not be read before it is changed: {error}"
            return WriteAnswer(result="unsent", status=error.status, message=message)
        if raw is None:
            message = f"The {self._operation.singular} was not found: nothing was sent"
            return WriteAnswer(result="refused", status=404, message=message)
        if shallow(raw) != raw:
            message = f"GET {path}: the record is {TOO_DEEP} to be merged with: nothing was sent"
            return WriteAnswer(result="unsent", message=message)
        record = decode_exact(raw)
        if not isinstance(record, dict):
            message = f"GET {path} answered with no record: nothing was sent"
            return WriteAnswer(result="unsent", message=message)
        try:
            return merged(self._operation, unit.asked(row), row.parts, record)
        except MissingPlaceError as error:
            name = row.parts[0][0]
            message = f"{name}: {error}. Nothing was sent: map the whole of {name}, or less of it"
            return WriteAnswer(result="unsent", message=message, param=name)

    def _as_listed(self, body: bytes) -> bytes | None:
        """The record with what its table asks for beside the usual, e.g. a payment's splits."""
        included = included_params(self._operation)
        if not included:
            return None
        try:
            record = msgspec.json.decode(shallow(body))
            path = f"/{self._operation.table}/{record['id']}"
            return self._client.record(path, included, self._tally)
        except (ApiError, msgspec.MsgspecError, KeyError, TypeError):
            return b""  # the next sync brings it


def longest_run(client: InvoicedClient) -> timedelta:
    """How long after its beginning a request of a client may still be carried out."""
    return timedelta(seconds=client.patience.read_seconds) + AFTERWARDS
