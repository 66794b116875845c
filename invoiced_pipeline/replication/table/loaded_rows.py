"""Counts of a table's rows while they are handed to the load."""

import logging
from typing import Any

from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.decode.batches import Batch
from invoiced_pipeline.replication.replaced_rows import MOST_IDS
from invoiced_pipeline.replication.table.table_context import TableContext
from invoiced_pipeline.settings import Cadence

logger = logging.getLogger(__name__)


class LoadedRows:
    """Counts one table's rows in its report.

    Args:
        context: The table.
    """

    def __init__(self, context: TableContext) -> None:
        self._table = context.table
        self._report = context.report
        self._replaced = context.run.replaced
        self._cadence: Cadence = context.run.request.cadence
        self._ids: list[Any] = []
        self._has_earlier = False

    def count(self, batch: Batch) -> None:
        """Counts the records of a batch of the table itself."""
        self._report.rows += batch.record_count
        if len(self._ids) <= MOST_IDS:
            self._ids += batch.rows[self._table.primary_key].to_pylist()
        self._report.count_periods(batch.rows[self._table.replication_key], self._cadence)
        rows = counted(self._report.rows, "row")
        logger.debug("%s: %s", self._table.name, rows, extra={"report": self._report})

    def look_up_replaced(self, *, is_new: bool) -> None:
        """Looks up which partitions rows leave, while the warehouse still has the old rows.

        Call it at the end of each package.

        Args:
            is_new: Whether the warehouse holds no rows of the table yet.
        """
        if self._replaced is None or self._report.mode == "full" or self._report.error:
            return
        ids, self._ids = self._ids, []
        days = self._replaced.days(self._table, [] if is_new else ids)
        if self._has_earlier:
            earlier = self._report.replaced_days
            days = None if days is None or earlier is None else days | earlier
        self._report.replaced_days, self._has_earlier = days, True
