"""The rows that a load replaces, and the days on which they were last changed before the load."""

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.dataset import row_counts
from invoiced_pipeline.warehouse.partition_rows import days_of

logger = logging.getLogger(__name__)

MOST_IDS = 5_000
"""Most records to look up; with more, counting the table once is cheaper."""


class ReplacedRows:
    """Looks up the rows that a run's records will replace.

    Args:
        database: The warehouse; the caller holds the writer's lock.
        dataset: The schema.
    """

    def __init__(self, database: Database, dataset: str) -> None:
        self._database = database
        self._dataset = dataset

    def days(self, table: Table, ids: Sequence[Any]) -> Counter[int | None] | None:
        """Counts the rows of some records by the day of their last change before this run.

        Returns:
            See `days_of`. None also if there are too many ids, or the warehouse cannot be read.
        """
        if len(ids) > MOST_IDS:
            return None
        if not ids or not self._database.exists():
            return Counter()
        try:
            with self._database.session(self._dataset, read_only=True) as session:
                return days_of(session, table, ids) if table.name in session.tables() else Counter()
        except WarehouseError as error:
            logger.debug("%s: the rows to replace could not be looked up: %s", table.name, error)
            return None

    def count(self, table: Table) -> int | None:
        """Counts all rows of a table; None if the warehouse cannot be read."""
        try:
            return row_counts(self._database, self._dataset, [table.name])[table.name]
        except WarehouseError as error:
            logger.debug("%s: its rows could not be counted: %s", table.name, error)
            return None
