"""What the parts of one table's run share."""

from dataclasses import dataclass

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.table.run_context import RunContext


@dataclass(frozen=True, slots=True, kw_only=True)
class TableContext:
    """One table of a run.

    Attributes:
        table: The table as the connection selects it.
        run: What all tables of the run share.
        dataset: The dataset's state.
        report: The table's report, filled during the run.
    """

    table: Table
    run: RunContext
    dataset: DatasetState
    report: TableReport
