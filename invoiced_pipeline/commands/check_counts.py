"""The API's count of a table beside the rows in the warehouse, and why they differ."""

from collections.abc import Mapping
from dataclasses import replace

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.connection_check import Finding
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.warehouse.dataset import RowTotals


def with_rows(finding: Finding, table: Table | None, totals: Mapping[str, RowTotals]) -> Finding:
    """Returns a table's finding with the rows in the warehouse and the reason for a difference.

    Args:
        finding: A finding of the check; returned as it is if it is not about a loaded table.
        table: The finding's table; None if it is not about a table.
        totals: Rows in the warehouse, by loaded table.
    """
    total = totals.get(finding.subject)
    if finding.problem or finding.records is None or table is None:
        return finding
    if total is None:
        new = "; not in the warehouse yet: the next sync loads it" if totals else ""
        return replace(finding, detail=f"{finding.detail}{new}")
    found = replace(finding, rows=total.rows, deleted_rows=total.deleted)
    if total.rows == finding.records and not total.deleted:
        return found
    rows = f"{counted(total.rows, 'row')} in the warehouse"
    if total.deleted:
        rows += f", {total.deleted:,} deleted in Invoiced"
    why = _why(finding.records, total.rows - total.deleted) if table.listing == "windowed" else ""
    return replace(found, detail=f"{finding.detail}; {rows}{why}")


def _why(records: int, rows: int) -> str:
    """Explains a difference that deleted rows do not explain."""
    if rows < records:
        more = counted(records - rows, "record")
        return f". The next sync loads {more}; records that fit no column go to _rejected"
    if rows > records:
        return (
            f". The API does not list {rows - records:,} of them: the next sync or sweep marks "
            "those deleted in Invoiced; rows from before the start date stay"
        )
    return ""
