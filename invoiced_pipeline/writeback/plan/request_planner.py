"""The request of a valid row: method, path and body, and what an update changes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from invoiced_pipeline.catalog.operations import Operation, fill_path
from invoiced_pipeline.writeback.plan.delete_or_void import planned_deletion
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline.writeback.plan.replaced_fields import is_replaced_whole, unreadable_part
from invoiced_pipeline.writeback.source.mapping import MappedRow
from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.source.values import as_decimal
from invoiced_pipeline.writeback.validation.against_replica import edit_problem
from invoiced_pipeline.writeback.validation.diff import changes, wanted_body
from invoiced_pipeline.writeback.validation.replica import Replica


@dataclass(frozen=True, slots=True)
class RequestPlanner:
    """Gives valid rows their requests.

    Attributes:
        operation: The write-back's operation.
        replica: The records that rows refer to or change.
    """

    operation: Operation
    replica: Replica

    def plan(
        self, row: MappedRow, planned: PlannedRow, made: str | None, before: MappedRow | None
    ) -> PlannedRow:
        """The planned row with its request; unchanged or invalid if nothing can be sent.

        Args:
            row: The row.
            planned: The same as planned so far.
            made: The id of the record that its key created earlier; None if it created none.
            before: The row of the same key that is sent just before it; None if there is none.
        """
        kind = self.operation.kind
        if kind == "delete":
            return planned_deletion(self.operation, row, planned, self.replica)
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
            amount=_money(self.operation, row.body),
        )

    def _changed_after_creation(
        self, row: MappedRow, planned: PlannedRow, made: str | None, before: MappedRow | None
    ) -> PlannedRow:
        """An update of the record that the key created, or that the row before it will create."""
        operation = self.operation
        if operation.update_path is None:
            which = f"{operation.singular} {made}" if made else f"a {operation.singular}"
            problem = Problem(
                f"this key has already created {which} with other values, and write-back does not "
                f"change it. If this is another {operation.singular}, give it its own key"
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
        """A PATCH of the fields that differ; of all fields if the replica lacks the record."""
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


def _money(operation: Operation, body: Mapping[str, Any]) -> Decimal | None:
    """The money that a row moves, in major currency units; None for other operations."""
    if operation.money is None:
        return None
    value = body.get(operation.money)
    if not isinstance(value, list):
        return as_decimal(value)
    amounts = (
        (as_decimal(item.get("quantity", 1)) or Decimal(0))
        * (as_decimal(item.get("unit_cost", 0)) or Decimal(0))
        for item in value
        if isinstance(item, dict)
    )
    return sum(amounts, Decimal(0))
