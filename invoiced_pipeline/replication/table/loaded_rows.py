"""Counts of a table's rows while they are handed to the load."""

import logging
from collections import Counter
from typing import Any

import pyarrow as pa

from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.decode.batches import Batch
from invoiced_pipeline.replication.replaced_rows import MOST_IDS
from invoiced_pipeline.replication.table.table_context import TableContext
from invoiced_pipeline.settings import Cadence
from invoiced_pipeline.warehouse.partition_rows import SECONDS_OF_DAY

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
        self._newest: dict[Any, int | None] = {}
        """The day of each record's last change, by id, until there are too many."""
        self._is_looked_up = False

    def count(self, batch: Batch) -> None:
        """Counts the records of a batch of the table itself."""
        self._report.rows += batch.record_count
        if len(self._newest) <= MOST_IDS:
            self._note_days(batch.rows)
        self._report.count_periods(batch.rows[self._table.replication_key], self._cadence)
        rows = counted(self._report.rows, "row")
        logger.debug("%s: %s", self._table.name, rows, extra={"report": self._report})

    def look_up_replaced(self, *, is_new: bool, is_last: bool) -> None:
        """Looks up the rows that these replace, while the warehouse still has them.

        Call it at the end of each package. Only the first one comes before all rows of the run.

        Args:
            is_new: Whether the warehouse holds no rows of the table yet.
            is_last: Whether no other package with rows of the table follows.
        """
        report, table = self._report, self._table
        if self._replaced is None or self._is_looked_up:
            return
        self._is_looked_up = True
        if len(self._newest) <= MOST_IDS and is_last:
            report.arrived = Counter(self._newest.values())
            report.replaced = self._replaced.days(table, [] if is_new else list(self._newest))
        if report.replaced is None:
            report.rows_before = 0 if is_new else self._replaced.count(table)

    def _note_days(self, rows: pa.Table) -> None:
        ids = rows[self._table.primary_key].to_pylist()
        for record, day in zip(ids, _days(rows[self._table.replication_key]), strict=True):
            known = self._newest.get(record)
            # A record that changed while it was read came twice: its newest version is loaded.
            if known is None or (day is not None and day > known):
                self._newest[record] = day


def _days(updated_at: pa.ChunkedArray) -> list[int | None]:
    """Returns days since 1970 of instants, or of epoch seconds."""
    unit = SECONDS_OF_DAY * (1 if pa.types.is_integer(updated_at.type) else 1_000_000)
    instants = updated_at.cast(pa.int64()).to_pylist()
    return [None if each is None else each // unit for each in instants]
