"""The rows that a load replaces, and the partitions that hold them before the load."""

import logging
from collections.abc import Sequence
from datetime import date
from typing import Any

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.partition_rows import days_of

logger = logging.getLogger(__name__)

MOST_IDS = 5_000
"""Most records to look up; with more, counting all partitions once is cheaper."""


class ReplacedRows:
    """Looks up the rows that a run's records will replace.

    Args:
        database: The warehouse; the caller holds the writer's lock.
        dataset: The schema.
    """

    def __init__(self, database: Database, dataset: str) -> None:
        self._database = database
        self._dataset = dataset

    def days(self, table: Table, ids: Sequence[Any]) -> frozenset[date] | None:
        """Returns the days on which the rows of some records were last changed before this run.

        Returns:
            None if there are too many ids, or the warehouse cannot be read: the UI then lacks a
            figure, but the load goes on.
        """
        if len(ids) > MOST_IDS:
            return None
        if not ids or not self._database.exists():
            return frozenset()
        try:
            with self._database.session(self._dataset, read_only=True) as session:
                if table.name not in session.tables():
                    return frozenset()
                return frozenset(days_of(session, table, ids))
        except WarehouseError as error:
            logger.debug("%s: the rows to replace could not be looked up: %s", table.name, error)
            return None
