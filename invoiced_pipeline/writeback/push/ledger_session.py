"""The ledger's entries of one push: claimed before a request, and brought up to date after it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.invoiced.http.writer import WriteAnswer
from invoiced_pipeline.selection.privacy import Privacy
from invoiced_pipeline.writeback.clock import Clock
from invoiced_pipeline.writeback.ledger.ledger import Entry, Ledger
from invoiced_pipeline.writeback.ledger.responses import Response
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline.writeback.plan.redaction import redacted_text
from invoiced_pipeline.writeback.plan.request import Unit
from invoiced_pipeline.writeback.push.sender import LEASE, Claim, Sent
from invoiced_pipeline.writeback.push.transitions import (
    Author,
    about_to_send,
    after,
    answer_per_row,
    reopened,
    success,
)
from invoiced_pipeline.writeback.push.verification import Answered, Checked, check, response_of
from invoiced_pipeline.writeback.recovery.lookup import record_id
from invoiced_pipeline.writeback.recovery.settler import Settled, is_guess
from invoiced_pipeline.writeback.recovery.verdict import settled


class Book:
    """Entries by record key, in memory and in the ledger.

    Attributes:
        entries: As last known; those that wait for `flush` among them.
        answered: The answers so far, each compared with what was asked.
        responses: The same, as they are kept.
    """

    def __init__(
        self,
        ledger: Ledger,
        author: Author,
        operation: Operation,
        *,
        privacy: Privacy,
        clock: Clock,
    ) -> None:
        self.entries = ledger.entries(author.writeback)
        self.answered: list[Checked] = []
        self.responses: list[Response] = []
        self._unwritten: list[Answered] = []
        self._ledger = ledger
        self._author = author
        self._operation = operation
        self._privacy = privacy
        self._clock = clock
        self._changed: dict[str, Entry] = {}
        self._reopened: list[str] = []
        self._guesses = {
            each.invoiced_id: each.record_key for each in self.entries.values() if is_guess(each)
        }

    @property
    def waiting(self) -> int:
        """How many entries wait for `flush`."""
        return len(self._changed)

    def entry(self, record_key: str) -> Entry:
        """The entry of a row; a new one where there is none."""
        known = self.entries.get(record_key)
        return known or Entry(
            writeback=self._author.writeback,
            record_key=record_key,
            payload_hash="",
            operation=self._operation.name,
            run_id=self._author.run_id,
        )

    def put(self, entry: Entry) -> None:
        """Notes an entry, to be written by the next `flush` or `claim`."""
        self.entries[entry.record_key] = self._changed[entry.record_key] = entry

    def flush(self) -> None:
        """Writes what waits, in one transaction."""
        self._write({})

    def claim(self, units: Sequence[Unit]) -> list[Claim]:
        """Writes that units are about to be sent, and gives the right to send them.

        What waits is written in the same transaction. A unit of which another push has taken a
        row meanwhile is left out, and its rows stay as they are; so is a unit that would make what
        is made already.
        """
        now = self._clock.now()
        units = [unit for unit in units if not self._is_made(unit)]
        prepared = [
            about_to_send(
                [self.entry(key) for key in unit.keys], unit, self._operation, self._author, now
            )
            for unit in units
        ]
        ours = self._write({entry.record_key: entry for each in prepared for entry in each})
        return [
            Claim(
                unit=unit,
                idempotency_key=entries[0].idempotency_key,
                record_id=entries[0].invoiced_id,
                expires=now + LEASE,
            )
            for unit, entries in zip(units, prepared, strict=True)
            if ours.issuperset(unit.keys)
        ]

    def _is_made(self, unit: Unit) -> bool:
        creates = self._operation.kind == "create" and unit.row.action == "create"
        return creates and self.entry(unit.row.record_key).invoiced_id is not None

    def note(self, unit: Unit, sent: Sent) -> None:
        """Notes what came of a unit."""
        answers = answer_per_row(unit, sent.answer)
        for row, answer in zip(unit.rows, answers, strict=True):
            entry = after(self.entry(row.record_key), row, answer, sent, self._author)
            if entry.error is not None:
                entry = replace(entry, error=self._kept(entry.error, row))
            self._reopen_twin(entry)
            self.put(entry)
            if answer.status is not None:
                self._unwritten.append(_answered(entry, unit, row, answer, sent))

    def take_reopened(self) -> list[str]:
        """Record keys of rows that turned out to be open again since this was last asked."""
        reopened, self._reopened = self._reopened, []
        return reopened

    def _reopen_twin(self, entry: Entry) -> None:
        """Opens the row again that was taken to have made what `entry` has made.

        Of rows that are alike and whose answers were lost, a comparison cannot tell which of them
        made a record. The API tells, where another of them is sent again under its own key.
        """
        twin = self._guesses.get(entry.invoiced_id)
        if entry.state != "succeeded" or twin is None or twin == entry.record_key:
            return
        del self._guesses[entry.invoiced_id]
        self.put(reopened(self.entry(twin), self._author))
        self._reopened.append(twin)

    def _kept(self, text: str, row: PlannedRow) -> str:
        table = self._operation.table or self._operation.singular
        return redacted_text(text, row, table, self._privacy)

    def settle(self, found: Settled, unit: Unit | None) -> None:
        """Notes what was found out about a request without an answer.

        Args:
            found: What was found.
            unit: The row's unit, where the source still has it as it was sent.
        """
        entry, run_id = found.entry, self._author.run_id
        if found.verdict == "wait":
            if found.trouble:
                self.put(replace(entry, error=found.trouble, run_id=run_id))
            return
        if found.verdict != "succeeded":
            self.put(settled(entry, found.verdict, run_id))
            return
        entry = success(
            replace(entry, run_id=run_id), entry.payload_hash, None, record_id(found.record)
        )
        self.put(entry)
        if is_guess(entry):
            self._guesses[entry.invoiced_id] = entry.record_key
        rows = unit.rows if unit else ()
        own = [row for row in rows if row.record_key == entry.record_key]
        asked = unit.asked(own[0]) if unit and own else {}
        self._unwritten.append(
            Answered(
                entry=entry,
                action=entry.action,
                asked=asked,
                parts=own[0].parts if own else (),
                answer=found.record or b"",
                record=found.record,
            )
        )

    def _write(self, claims: Mapping[str, Entry]) -> set[str]:
        """Writes claims and whatever waits; the record keys of those claims that are ours."""
        entries = list({**self._changed, **claims}.values())
        checked = [check(each, self._operation) for each in self._unwritten]
        now = self._clock.now()
        responses = [response_of(each, self._operation, self._privacy, now) for each in checked]
        written = self._ledger.write(entries, responses)
        self.entries.update(written)
        if len(written) < len(entries):  # another push was faster: its word stands
            self.entries.update(self._ledger.entries(self._author.writeback))
        self.answered += checked
        self.responses += responses
        self._changed, self._unwritten = {}, []
        return set(written).intersection(claims)


def _answered(
    entry: Entry, unit: Unit, row: PlannedRow, answer: WriteAnswer, sent: Sent
) -> Answered:
    whole = answer.body if sent.record is None else sent.record
    return Answered(
        entry=entry,
        action=row.action,
        asked=unit.asked(row),
        parts=row.parts,
        answer=answer.body,
        record=whole or None,
        status=answer.status,
    )
