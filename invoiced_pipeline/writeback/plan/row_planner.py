"""Plans the rows of one record key, one after the other."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from invoiced_pipeline.catalog.operations import Operation, fill_path
from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.writeback.ledger.keys import marker
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.plan.delete_or_void import planned_deletion
from invoiced_pipeline.writeback.plan.plan import Action, PlannedRow
from invoiced_pipeline.writeback.plan.replaced_fields import is_replaced_whole, unreadable_part
from invoiced_pipeline.writeback.plan.send_decision import NO_RETRIES, Retries, reason_to_hold
from invoiced_pipeline.writeback.source.mapping import MappedRow
from invoiced_pipeline.writeback.source.payment_data import HIDDEN, hide_payment_data
from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.source.values import as_decimal
from invoiced_pipeline.writeback.validation.against_replica import edit_problem, replica_problem
from invoiced_pipeline.writeback.validation.diff import changes, wanted_body
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
    """Decides about the rows of a write-back.

    Attributes:
        settings: The write-back.
        operation: What it does.
        known: What the ledger holds, by record key.
        replica: The records that rows name or change.
        retries: Rows that are sent again as they are.
        dataset: The schema of ledger and replica, which markers depend on.
        holders: Which record key has a number, of the rows planned so far.
        owners: Record keys by the ids of the records that they have made, as the ledger knows.
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
        """The rows of one record key, in the source's order.

        What was last sent with success is where the key stands: it and all before it are unchanged.
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
                planned.append(first.as_held("a row of the same key before it is held"))
            else:
                planned.append(self._decided(row, first, known, before))
                before = row if planned[-1].is_sent else before
        return planned

    def _look_at(self, row: MappedRow) -> PlannedRow:
        """The row with its hash, and invalid where something is wrong with it by itself."""
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
        """The record key of another row that has the row's number; else it is the row's now."""
        number = number_of(self.operation, row.body)
        if number is None:
            return None
        holder = self.holders.setdefault(number, row.record_key)
        return None if holder == row.record_key else holder

    def _number_problem(
        self, row: MappedRow, planned: PlannedRow, known: Entry | None
    ) -> Problem | None:
        """Why the row's number cannot be its record's; None where it can, or nobody knows."""
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
        """Whether the ledger leaves open that a record with the row's number is its own.

        What the API refused stays as it is until it is sent again.
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
        """What becomes of a row that is right and was not sent as it is."""
        planned = self._requested(row, planned, known, before)
        if not planned.is_sent:
            return planned
        if row.waits_for:
            reason = "waits: " + "; ".join(row.waits_for.values())
            return replace(planned.as_held(reason), parents=tuple(row.waits_for))
        creates = self.operation.kind == "create" and planned.action == "create"
        reason = reason_to_hold(known, planned.payload_hash, self.retries, creates=creates)
        return planned if reason is None else planned.as_held(reason)

    def _requested(
        self,
        row: MappedRow,
        planned: PlannedRow,
        known: Entry | None,
        before: MappedRow | None,
    ) -> PlannedRow:
        """The row with its request."""
        kind = self.operation.kind
        if kind == "delete":
            return planned_deletion(self.operation, row, planned, self.replica)
        made = known.invoiced_id if known is not None and known.succeeded_hash else None
        if kind == "create" and (made is not None or before is not None):
            return self._changed_after_creation(row, planned, made, before)
        if kind == "update":
            record = self.replica.record(self.operation.table or "", row.parameters.get("id"))
            return self._updated(row, planned, self.operation.path, record)
        has_body = self.operation.method != "DELETE" or bool(row.body)
        return replace(
            planned,
            parts=row.parts if self.operation.method == "PATCH" else (),
            method=self.operation.method,
            path=fill_path(self.operation.path, row.parameters),
            body=dict(row.body) if has_body else None,
            amount=self._money(row.body),
        )

    def _changed_after_creation(
        self, row: MappedRow, planned: PlannedRow, made: str | None, before: MappedRow | None
    ) -> PlannedRow:
        """A row whose record is there already, or will be by the row before it: an update."""
        operation = self.operation
        if operation.update_path is None:
            which = f"{operation.singular} {made}" if made else f"a {operation.singular}"
            problem = Problem(
                f"this key has made {which} with other values, and write-back does not change it. "
                f"If it is another {operation.singular}, give it a key of its own"
            )
            return planned.as_invalid(problem)
        path = operation.update_path
        parameters = dict(row.parameters)
        record: Mapping[str, Any] | None = dict(before.body) if before is not None else None
        if made is not None:
            parameters["id"] = made
        if made is not None and before is None:
            record = self.replica.record(operation.table or "", made)
        return self._updated(row, planned, fill_path(path, parameters), record)

    def _updated(
        self,
        row: MappedRow,
        planned: PlannedRow,
        path: str,
        record: Mapping[str, Any] | None,
    ) -> PlannedRow:
        """A PATCH of what differs; of everything where the replica does not have the record."""
        operation = self.operation
        planned = replace(
            planned, action="update", method="PATCH", path=fill_path(path, row.parameters)
        )
        wanted = wanted_body(operation, row.body)
        parts = tuple(path for path in row.parts if is_replaced_whole(operation, path[0]))
        problem = unreadable_part(operation, parts)
        if problem is not None:
            return planned.as_invalid(problem)
        if record is None:
            return replace(planned, body=wanted, parts=parts)
        found = changes(operation, wanted, record, parts)
        if not found:
            return replace(planned, action="unchanged", method="", path="")
        body = {change.field: change.after for change in found}
        creation = {name: value for name, value in row.body.items() if name not in wanted}
        problem = edit_problem(operation, record, {**creation, **body})
        if problem is not None:
            return planned.as_invalid(problem)
        parts = tuple(path for path in parts if path[0] in body)
        return replace(planned, body=body, changes=found, parts=parts)

    def _money(self, body: Mapping[str, Any]) -> Decimal | None:
        if self.operation.money is None:
            return None
        value = body.get(self.operation.money)
        if not isinstance(value, list):
            return as_decimal(value)
        amounts = (
            (as_decimal(item.get("quantity", 1)) or Decimal(0))
            * (as_decimal(item.get("unit_cost", 0)) or Decimal(0))
            for item in value
            if isinstance(item, dict)
        )
        return sum(amounts, Decimal(0))

    def _hash(self, parameters: Mapping[str, Any], body: Mapping[str, Any]) -> str:
        operation = self.operation
        payload = [operation.name, operation.method, operation.path, parameters, body]
        return hashlib.sha256(encode_body(payload)).hexdigest()
