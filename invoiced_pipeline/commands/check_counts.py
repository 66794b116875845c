"""Explains why the API's count of a table and the rows in the warehouse differ."""

from collections.abc import Mapping
from dataclasses import replace

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.connection_check import Finding
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.warehouse.dataset import RowTotals


def with_rows(finding: Finding, table: Table | None, totals: Mapping[str, RowTotals]) -> Finding:
    """Adds what the warehouse holds to a table's finding, with the reason for a difference.

    Args:
        finding: What a check found.
        table: The table that it is about; None where it is about something else.
        totals: Rows of the warehouse, by table; without those that were never loaded.
    """
    total = totals.get(finding.subject)
    if finding.problem or finding.records is None or table is None or total is None:
        return finding
    found = replace(finding, rows=total.rows, deleted_rows=total.deleted)
    if total.rows == finding.records and not total.deleted:
        return found
    rows = f"{counted(total.rows, 'row')} in the warehouse"
    if total.deleted:
        rows += f", {total.deleted:,} deleted in Invoiced"
    why = _why(finding.records, total.rows - total.deleted) if table.listing == "windowed" else ""
    return replace(found, detail=f"{finding.detail}; {rows}{why}")


def _why(records: int, rows: int) -> str:
    """The reason for a difference that deleted rows do not explain."""
    if rows < records:
        more = counted(records - rows, "record")
        return f". The next sync loads {more}; what fits no column goes to _rejected"
    if rows > records:
        return (
            f". The API does not list {rows - records:,} of them: the next sync or sweep marks "
            "what was deleted; rows from before the start date stay"
        )
    return ""
