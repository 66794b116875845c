"""Gaps: columns and arrays that some of a table's rows were loaded without."""

from invoiced_pipeline.replication.table.table_context import TableContext
from invoiced_pipeline.selection.tables import unloaded


def note_gaps(context: TableContext, *, is_whole: bool) -> None:
    """Notes in report and dataset which gaps the table has after a run.

    Args:
        context: The table.
        is_whole: Whether the run read the whole table, which closes the gaps of earlier runs.
    """
    dataset, report = context.dataset, context.report
    now = unloaded(context.table)
    report.gaps = now if is_whole else dataset.gaps(report.table)
    if report.rows:
        report.gaps |= now
    if report.gaps != dataset.gaps(report.table):
        dataset.set_gaps(report.table, report.gaps)
