"""Plans the rows of one record key, one after the other."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.writeback.ledger.keys import marker
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.plan.plan import Action, PlannedRow
from invoiced_pipeline.writeback.plan.request_planner import RequestPlanner
from invoiced_pipeline.writeback.plan.send_decision import NO_RETRIES, Retries, reason_to_hold
from invoiced_pipeline.writeback.source.mapping import MappedRow
from invoiced_pipeline.writeback.source.payment_data import HIDDEN, hide_payment_data
from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.validation.against_replica import replica_problem
from invoiced_pipeline.writeback.validation.record_numbers import (
    doubled_number,
    held_number,
    is_own,
    number_of,
)
from invoiced_pipeline.writeback.validation.replica import Replica
from invoiced_pipeline.writeback.validation.rows import payment_data_problem, row_problem

_BY_METHOD: Mapping[str, Action] = {"POST": "create", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class RowPlanner:
    """Plans the rows of a write-back.

    Attributes:
        settings: The write-back.
        operation: Its operation.
        known: Ledger entries by record key.
        replica: The records that rows refer to or change.
        retries: Unchanged rows that are sent again.
        dataset: The schema of ledger and replica; markers depend on it.
        holders: Record keys of the rows planned so far, by their number.
        owners: Record keys by the ids of the records that they created, from the ledger.
    """

    settings: WritebackSettings
    operation: Operation
    known: Mapping[str, Entry]
    replica: Replica
    retries: Retries = NO_RETRIES
    dataset: str = ""
    holders: dict[str, str] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)

    def plan(self, rows: Sequence[MappedRow]) -> list[PlannedRow]:
        """Plans the rows of one record key, in the source's order.

        The row that was last sent successfully, and all rows before it, are unchanged.
        """
        known = self.known.get(rows[0].record_key)
        looked_at = [self._look_at(row) for row in rows]
        done = known.succeeded_hash if known is not None else None
        hashes = [planned.payload_hash for planned in looked_at]
        standing = max((n for n, each in enumerate(hashes) if done and each == done), default=-1)
        planned: list[PlannedRow] = []
        before: MappedRow | None = None
        for number, (row, first) in enumerate(zip(rows, looked_at, strict=True)):
            if first.action == "invalid":
                planned.append(first)
            elif number <= standing:
                planned.append(replace(first, action="unchanged"))
                self._claim_number(row)
            elif problem := self._number_problem(row, first, known):
                planned.append(first.as_invalid(problem))
            elif planned and planned[-1].action == "held":
                planned.append(first.as_held("an earlier row with the same key is held"))
            else:
                planned.append(self._decided(row, first, known, before))
                before = row if planned[-1].is_sent else before
        return planned

    def _look_at(self, row: MappedRow) -> PlannedRow:
        """The row with its hash; invalid if it has a problem by itself."""
        problem = payment_data_problem(self.settings, self.operation, row)
        if problem is not None:
            wanted = hide_payment_data({"path": row.parameters, "body": row.body})
            key = row.record_key if problem.param != "record key" else HIDDEN
            return PlannedRow(
                position=row.position,
                record_key=key if key != HIDDEN else f"{HIDDEN} row {row.position}",
                action="invalid",
                payload_hash=self._hash(wanted["path"], wanted["body"]),
                reason=problem.reason,
                reason_param=problem.param,
            )
        planned = PlannedRow(
            position=row.position,
            record_key=row.record_key or f"(no key) row {row.position}",
            action=_BY_METHOD.get(self.operation.method, "update"),
            payload_hash=self._hash(row.parameters, row.body),
            wanted=row.body,
            warnings=row.warnings,
        )
        problem = row.problem or row_problem(self.settings, self.operation, row)
        if problem is None and self.settings.check_replica:
            problem = replica_problem(self.operation, row, self.replica)
        return planned.as_invalid(problem) if problem is not None else planned

    def _claim_number(self, row: MappedRow) -> str | None:
        """Claims the row's number; returns the record key that already has it, or None."""
        number = number_of(self.operation, row.body)
        if number is None:
            return None
        holder = self.holders.setdefault(number, row.record_key)
        return None if holder == row.record_key else holder

    def _number_problem(
        self, row: MappedRow, planned: PlannedRow, known: Entry | None
    ) -> Problem | None:
        """Why the row cannot have its number; None if it can, or if that is unknown."""
        operation = self.operation
        if other := self._claim_number(row):
            return doubled_number(operation, row.body, other)
        number = number_of(operation, row.body)
        if number is None or not self.settings.check_replica or self._may_have_made(planned, known):
            return None
        mark = marker(self.dataset, self.settings.name, planned.record_key)
        holders = [
            record
            for record in self.replica.holders(number)
            if str(record.get("id")) in self.owners or not is_own(operation, row.body, record, mark)
        ]
        return held_number(operation, row.body, holders) if holders else None

    def _may_have_made(self, planned: PlannedRow, known: Entry | None) -> bool:
        """Whether a record with the row's number may be the row's own, by the ledger.

        A refused row stays refused until it is sent again.
        """
        if known is None:
            return False
        is_refused = known.state == "rejected" and known.payload_hash == planned.payload_hash
        is_open = known.state in {"sent", "planned", "unknown"}
        is_kept = is_refused and not self.retries.include(known)
        return known.invoiced_id is not None or is_open or is_kept

    def _decided(
        self,
        row: MappedRow,
        planned: PlannedRow,
        known: Entry | None,
        before: MappedRow | None,
    ) -> PlannedRow:
        """Plans a valid row that was not sent as it is now."""
        made = known.invoiced_id if known is not None and known.succeeded_hash else None
        planned = RequestPlanner(self.operation, self.replica).plan(row, planned, made, before)
        if not planned.is_sent:
            return planned
        if row.waits_for:
            reason = "waits: " + "; ".join(row.waits_for.values())
            return replace(planned.as_held(reason), parents=tuple(row.waits_for))
        creates = self.operation.kind == "create" and planned.action == "create"
        reason = reason_to_hold(known, planned.payload_hash, self.retries, creates=creates)
        return planned if reason is None else planned.as_held(reason)

    def _hash(self, parameters: Mapping[str, Any], body: Mapping[str, Any]) -> str:
        operation = self.operation
        payload = [operation.name, operation.method, operation.path, parameters, body]
        return hashlib.sha256(encode_body(payload)).hexdigest()
