"""Sends one request, after reading what it relies on, and checks the response."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from invoiced_pipeline.catalog.operations import Operation, fill_path
from invoiced_pipeline.exact_json import decode_exact
from invoiced_pipeline.exceptions import AccountInactiveError, ApiError, AuthenticationError
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.http.writer import InvoicedWriter, WriteResult
from invoiced_pipeline.nesting import TOO_DEEP, shallow
from invoiced_pipeline.writeback.plan.replaced_fields import read_params
from invoiced_pipeline.writeback.plan.request import OutgoingRequest
from invoiced_pipeline.writeback.push.context import PushContext
from invoiced_pipeline.writeback.recovery.proof import require_proof
from invoiced_pipeline.writeback.source.operation import included_params
from invoiced_pipeline.writeback.source.parts import MissingPlaceError, merged

LEASE = timedelta(seconds=60)
"""How long after its ledger entry was written a request may still start. After a crash this tells
when no request can be running any more."""


class LeaseExpiredError(Exception):
    """The claim is too old: the ledger entry must be written again before the request is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to send a request for a limited time, as written in the ledger.

    Attributes:
        request: The request.
        idempotency_key: Key of this attempt; None where the method takes none.
        record_id: ID of the record that `{id}` in the path stands for, if the ledger knows it.
        expires: When the right ends (UTC).
    """

    request: OutgoingRequest
    idempotency_key: str | None
    record_id: str | None
    expires: datetime


@dataclass(slots=True, kw_only=True)
class SendResult:
    """What came of a request.

    Attributes:
        result: The API's response, or why there is none.
        started_at: When the last attempt started (UTC); None where none did.
        record: The record as lists show it, where the response shows less.
    """

    result: WriteResult
    started_at: datetime | None = None
    record: bytes | None = field(default=None, repr=False)


class Sender:
    """Sends requests of one operation; thread-safe.

    Args:
        context: Account, warehouse and run.
        operation: The operation.
        headers: Extra headers.
        tally: Counts requests, retries and waiting.
    """

    def __init__(
        self,
        context: PushContext,
        operation: Operation,
        *,
        headers: Mapping[str, str],
        tally: Tally,
    ) -> None:
        self._client = context.client
        self._writer = InvoicedWriter(context.client)
        self._clock = context.clock
        self._operation = operation
        self._headers = headers
        self._tally = tally

    def send(self, claim: Claim) -> SendResult:
        """Sends a claimed request.

        Raises:
            LeaseExpiredError: The claim is too old; nothing was sent.
            ApiError: The API rejects the API key: every other request would fail, too.
        """
        started: list[datetime] = []

        def on_start() -> None:
            now = self._clock.now()
            if now >= claim.expires:
                raise LeaseExpiredError
            started.append(now)

        changed = self._unexpected(claim)
        if changed is not None:
            return SendResult(result=changed)
        body = self._merged(claim) if claim.request.row.reads_first else None
        if isinstance(body, WriteResult):
            return SendResult(result=body)
        request = claim.request.encode(claim.idempotency_key, claim.record_id, self._headers, body)
        result = self._writer.send(request, tally=self._tally, on_start=on_start)
        result = require_proof(result, self._operation, claim.request.row, claim.record_id)
        sent = SendResult(result=result, started_at=started[-1] if started else None)
        if result.kind == "succeeded":
            sent.record = self._as_listed(result.body)
        return sent

    def _unexpected(self, claim: Claim) -> WriteResult | None:
        """Reads the record, and says why nothing is sent if it changed since the plan was made."""
        row = claim.request.row
        if not row.expects:
            return None
        path = row.path.removesuffix("/void")
        try:
            body = self._client.record(path, (), self._tally)
        except ApiError as error:
            return WriteResult(kind="unsent", status=error.status, message=str(error))
        if body is None:
            return self._not_found()
        record = msgspec.json.decode(shallow(body))
        for name, value in row.expects.items():
            if record.get(name) != value:
                message = (
                    f"Its {name} is {record.get(name)!r} now, and was {value!r} in the plan: "
                    "nothing was sent. Sync, and look at the plan again"
                )
                return WriteResult(kind="unsent", message=message, param=name)
        return None

    def _merged(self, claim: Claim) -> dict[str, Any] | WriteResult:
        """Merges the body into the record as it is now; otherwise says why nothing is sent.

        The API replaces such fields as a whole (observed behaviour): what others put there must
        stay.
        """
        request, row = claim.request, claim.request.row
        path = fill_path(row.path, {"id": claim.record_id}) if claim.record_id else row.path
        try:
            raw = self._client.record(path, read_params(self._operation, row), self._tally)
        except (AuthenticationError, AccountInactiveError):
            raise
        except ApiError as error:
            message = f"The record could not be read before it is changed: {error}"
            return WriteResult(kind="unsent", status=error.status, message=message)
        if raw is None:
            return self._not_found()
        if shallow(raw) != raw:
            message = f"GET {path}: the record is {TOO_DEEP} to be merged with: nothing was sent"
            return WriteResult(kind="unsent", message=message)
        record = decode_exact(raw)
        if not isinstance(record, dict):
            message = f"GET {path} returned no record: nothing was sent"
            return WriteResult(kind="unsent", message=message)
        try:
            return merged(self._operation, request.body_of(row), row.parts, record)
        except MissingPlaceError as error:
            name = row.parts[0][0]
            message = f"{name}: {error}. Nothing was sent: map the whole of {name}, or less of it"
            return WriteResult(kind="unsent", message=message, param=name)

    def _not_found(self) -> WriteResult:
        message = f"The {self._operation.singular} was not found: nothing was sent"
        return WriteResult(kind="refused", status=404, message=message)

    def _as_listed(self, body: bytes) -> bytes | None:
        """Reads the record with the parameters of its table, e.g. a payment with its splits."""
        params = included_params(self._operation)
        if not params:
            return None
        try:
            record = msgspec.json.decode(shallow(body))
            path = f"/{self._operation.table}/{record['id']}"
            return self._client.record(path, params, self._tally)
        except (ApiError, msgspec.MsgspecError, KeyError, TypeError):
            return b""  # the next sync reads it
