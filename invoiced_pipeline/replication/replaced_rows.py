"""The rows that a load replaces: in which partitions they are before it."""

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
"""Records that are looked up; with more, counting all partitions once costs less."""


class ReplacedRows:
    """Looks up the rows that records of a run will replace.

    Args:
        database: The warehouse; the caller holds the writer's lock.
        dataset: The schema.
    """

    def __init__(self, database: Database, dataset: str) -> None:
        self._database = database
        self._dataset = dataset

    def days(self, table: Table, ids: Sequence[Any]) -> frozenset[date] | None:
        """The days on which the rows of some records were last changed before this run.

        Returns:
            None where there are too many ids to look up, or the warehouse cannot be asked: that
            costs a figure in the UI, and must not cost the load.
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
