"""The ledger during one push: read once, rows claimed before a request, and updated after it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.exceptions import DatasetMismatchError
from invoiced_pipeline.invoiced.http.writer import WriteResult
from invoiced_pipeline.writeback.ledger.ledger import Entry, Ledger
from invoiced_pipeline.writeback.ledger.responses import StoredResponse
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline.writeback.plan.redaction import redacted_text
from invoiced_pipeline.writeback.plan.request import OutgoingRequest
from invoiced_pipeline.writeback.push.context import PushContext
from invoiced_pipeline.writeback.push.sender import LEASE, Claim, SendResult
from invoiced_pipeline.writeback.push.transitions import (
    claimed_entries,
    entry_after,
    reopened,
    result_per_row,
    success,
)
from invoiced_pipeline.writeback.push.verification import RowResponse, stored_response, verify
from invoiced_pipeline.writeback.recovery.outcome import entry_with_outcome
from invoiced_pipeline.writeback.recovery.proof import record_id
from invoiced_pipeline.writeback.recovery.resolver import Resolution, is_guess


class LedgerSession:
    """The entries of one write-back by record key, in memory and in the ledger.

    Reads the ledger once. It is read again only after a write that found an entry changed by
    another push.

    Args:
        context: Account, warehouse and run.
        writeback: Name of the write-back.
        operation: The operation.

    Attributes:
        entries: As last known, those included that the next `flush` writes.
        responses: The responses so far, compared with what was requested.
        stored_responses: The same, as they are stored.
    """

    def __init__(self, context: PushContext, writeback: str, operation: Operation) -> None:
        self._ledger = Ledger(context.database, context.dataset)
        self._context = context
        self._writeback = writeback
        self._operation = operation
        self.entries = self._ledger.entries(writeback)
        self.responses: list[RowResponse] = []
        self.stored_responses: list[StoredResponse] = []
        self._unwritten: list[RowResponse] = []
        self._changed: dict[str, Entry] = {}
        self._reopened: list[str] = []
        self._guesses = {
            each.invoiced_id: each.record_key for each in self.entries.values() if is_guess(each)
        }

    def check_host(self) -> None:
        """Checks that the ledger's rows went to the host of this connection.

        Raises:
            DatasetMismatchError: They went to another host, where their records are.
        """
        hosts = {entry.host for entry in self.entries.values() if entry.host}
        others = hosts - {self._context.host}
        if others:
            message = (
                f"The ledger of write-back {self._writeback!r} belongs to {others.pop()}, but this "
                f"connection goes to {self._context.host}: nothing was sent. Set api_url or "
                "sandbox back, or give the write-back another name"
            )
            raise DatasetMismatchError(message)

    @property
    def waiting(self) -> int:
        """How many entries the next `flush` writes."""
        return len(self._changed)

    def entry(self, record_key: str) -> Entry:
        """Returns the entry of a row; a new one where there is none."""
        return self.entries.get(record_key) or Entry(
            writeback=self._writeback,
            record_key=record_key,
            payload_hash="",
            operation=self._operation.name,
            run_id=self._context.run_id,
        )

    def put(self, entry: Entry) -> None:
        """Changes an entry in memory; the next `flush` or `claim` writes it."""
        self.entries[entry.record_key] = self._changed[entry.record_key] = entry

    def flush(self) -> None:
        """Writes all changed entries, and new responses, in one transaction."""
        self._write({})

    def claim(self, requests: Sequence[OutgoingRequest]) -> list[Claim]:
        """Writes that requests are about to be sent, and returns the right to send them.

        Changed entries are written in the same transaction. A request is left out if another push
        has changed one of its rows meanwhile, or if it would create a record that exists already.
        """
        requests = [request for request in requests if not self._is_made(request)]
        now = self._context.clock.now()
        entries = [
            claimed_entries(
                [self.entry(key) for key in request.keys],
                request,
                self._operation,
                self._context,
                now,
            )
            for request in requests
        ]
        ours = self._write({entry.record_key: entry for each in entries for entry in each})
        return [
            Claim(
                request=request,
                idempotency_key=each[0].idempotency_key,
                record_id=each[0].invoiced_id,
                expires=now + LEASE,
            )
            for request, each in zip(requests, entries, strict=True)
            if ours.issuperset(request.keys)
        ]

    def _is_made(self, request: OutgoingRequest) -> bool:
        creates = self._operation.kind == "create" and request.row.action == "create"
        return creates and self.entry(request.row.record_key).invoiced_id is not None

    def note(self, request: OutgoingRequest, sent: SendResult) -> None:
        """Updates the entries of a request's rows with its result."""
        results = result_per_row(request, sent.result)
        for row, result in zip(request.rows, results, strict=True):
            entry = entry_after(self.entry(row.record_key), row, result, sent, self._context)
            if entry.error is not None:
                entry = replace(entry, error=self._redacted(entry.error, row))
            self._reopen_twin(entry)
            self.put(entry)
            if result.status is not None:
                self._unwritten.append(_row_response(entry, request, row, result, sent))

    def take_reopened(self) -> list[str]:
        """Returns the record keys of rows that were reopened since the last call."""
        taken, self._reopened = self._reopened, []
        return taken

    def _reopen_twin(self, entry: Entry) -> None:
        """Reopens the row wrongly credited with creating this entry's record.

        When responses to identical rows were lost, a comparison cannot tell which of them created a
        record. The API tells when one of them is sent again under its own idempotency key.
        """
        twin = self._guesses.get(entry.invoiced_id)
        if entry.state != "succeeded" or twin is None or twin == entry.record_key:
            return
        del self._guesses[entry.invoiced_id]
        self.put(reopened(self.entry(twin), self._context))
        self._reopened.append(twin)

    def _redacted(self, text: str, row: PlannedRow) -> str:
        table = self._operation.table or self._operation.singular
        return redacted_text(text, row, table, self._context.privacy)

    def resolve(self, resolution: Resolution, request: OutgoingRequest | None) -> None:
        """Updates an entry whose response was lost.

        Args:
            resolution: What was found out.
            request: The row's request, where the source still has the row as it was sent.
        """
        entry, run_id = resolution.entry, self._context.run_id
        if resolution.outcome == "wait":
            if resolution.trouble:
                self.put(replace(entry, error=resolution.trouble, run_id=run_id))
            return
        if resolution.outcome != "succeeded":
            self.put(entry_with_outcome(entry, resolution.outcome, run_id))
            return
        identity = record_id(resolution.record)
        entry = success(replace(entry, run_id=run_id), entry.payload_hash, None, identity)
        self.put(entry)
        if is_guess(entry):
            self._guesses[entry.invoiced_id] = entry.record_key
        rows = request.rows if request else ()
        row = next((row for row in rows if row.record_key == entry.record_key), None)
        self._unwritten.append(
            RowResponse(
                entry=entry,
                action=entry.action,
                requested=request.body_of(row) if request and row else {},
                parts=row.parts if row else (),
                body=resolution.record or b"",
                record=resolution.record,
            )
        )

    def _write(self, claims: Mapping[str, Entry]) -> set[str]:
        """Writes claims and everything that waits; returns the keys of claims that succeeded."""
        entries = list({**self._changed, **claims}.values())
        responses = [verify(response, self._operation) for response in self._unwritten]
        now, privacy = self._context.clock.now(), self._context.privacy
        stored = [stored_response(each, self._operation, privacy, now) for each in responses]
        written = self._ledger.write(entries, stored)
        self.entries.update(written)
        if len(written) < len(entries):  # another push was faster: its entries count
            self.entries.update(self._ledger.entries(self._writeback))
        self.responses += responses
        self.stored_responses += stored
        self._changed, self._unwritten = {}, []
        return set(written).intersection(claims)


def _row_response(
    entry: Entry, request: OutgoingRequest, row: PlannedRow, result: WriteResult, sent: SendResult
) -> RowResponse:
    record = result.body if sent.record is None else sent.record
    return RowResponse(
        entry=entry,
        action=row.action,
        requested=request.body_of(row),
        parts=row.parts,
        body=result.body,
        record=record or None,
        status=result.status,
    )
