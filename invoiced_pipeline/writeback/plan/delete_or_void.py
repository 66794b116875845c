"""Deletes drafts and voids issued invoices; the replica tells them apart."""

from dataclasses import replace

from invoiced_pipeline.catalog.operations import Operation, fill_path
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline.writeback.source.mapping import MappedRow
from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.validation.replica import Replica


def planned_deletion(
    operation: Operation, row: MappedRow, planned: PlannedRow, replica: Replica
) -> PlannedRow:
    """Plans the deletion of a draft, or the voiding of an issued invoice."""
    record = replica.record(operation.table or "", row.parameters["id"])
    path = fill_path(operation.path, row.parameters)
    if record is None:
        problem = Problem(
            f"invoice {row.parameters['id']} is not in the replica, so it is unknown whether it "
            "is a draft: sync first",
            "id",
        )
        return planned.as_invalid(problem)
    if record.get("_deleted_at") is not None or record.get("status") == "voided":
        return replace(planned, action="unchanged")
    if record.get("draft"):
        return replace(
            planned, action="delete", method="DELETE", path=path, expects={"draft": True}
        )
    if record.get("paid") or record.get("status") == "pending":
        what = f"invoice {record.get('number')}"
        why = "is paid" if record.get("paid") else "has a pending payment"
        return planned.as_invalid(Problem(f"{what} {why}: the API does not void it", "id"))
    void = fill_path(operation.void_path or "", row.parameters)
    return replace(planned, action="void", method="POST", path=void, expects={"draft": False})
