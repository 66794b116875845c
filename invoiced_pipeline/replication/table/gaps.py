"""Gaps: columns and arrays that some of a table's rows were loaded without."""

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.selection.tables import unloaded


def note_gaps(table: Table, dataset: DatasetState, report: TableReport, *, is_whole: bool) -> None:
    """Notes in report and dataset which gaps the table has after a run.

    Args:
        table: The table as the connection selects it.
        dataset: What the dataset remembers.
        report: The table's report.
        is_whole: Whether the run read the whole table, which closes the gaps of earlier runs.
    """
    now = unloaded(table)
    report.gaps = now if is_whole else dataset.gaps(report.table)
    if report.rows:
        report.gaps |= now
    if report.gaps != dataset.gaps(report.table):
        dataset.set_gaps(report.table, report.gaps)
