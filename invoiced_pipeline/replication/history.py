"""The history of a table: which loads keep versions, and when that begins and ends.

A batch of the table feeds both: the merge that replaces rows also adds them to the versions. So a
load needs no second copy, and a run that dies leaves neither without the other.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dlt

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.decode.batches import Batch
from invoiced_pipeline.replication.decode.columns import LOAD_ID, parent_columns
from invoiced_pipeline.warehouse.version_merge import KeptVersions, versions_hint


class History:
    """The history of one table during one load.

    Args:
        table: The table as the connection selects it.
        dataset: What the dataset remembers.
    """

    def __init__(self, table: Table, dataset: DatasetState) -> None:
        self._table = table
        self._dataset = dataset
        self._is_announced = False

    def announcements(self, batch: Batch) -> Iterator[Any]:
        """Yields what dlt has to know before it gets a batch.

        The first batch of the table says whether its load keeps versions. An empty batch declares
        the table's columns, and so those of its versions.
        """
        table = self._table
        if batch.table_name != table.name:
            return
        nothing = batch.rows.slice(0, 0)
        since = self._dataset.history_since(table.name)
        begins = table.keeps_history and since is None
        if begins or (table.keeps_history and not batch.rows.num_rows):
            yield dlt.mark.with_table_name(nothing, table.versions_name)
        if self._is_announced or not (table.keeps_history or since):
            return
        self._is_announced = True
        since = (since or datetime.now(UTC).isoformat()) if table.keeps_history else None
        self._dataset.set_history_since(table.name, since)
        hint = versions_hint(_versions(table, since, begins=begins) if since else None)
        hints = dlt.mark.make_hints(table_name=table.name, additional_table_hints=hint)
        yield dlt.mark.with_hints(nothing, hints, create_table_variant=True)


def _versions(table: Table, since: str, *, begins: bool) -> KeptVersions:
    columns = [column.name for column in parent_columns(table)]
    return KeptVersions(
        table=table.versions_name,
        columns=(*columns, LOAD_ID),
        key=(table.primary_key, table.replication_key),
        begins=begins,
        since=since,
    )
