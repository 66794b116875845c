"""The dlt source: one resource per Invoiced table, with its child tables."""

from collections.abc import Iterator, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import dlt

from invoiced_pipeline.catalog import Column, Table
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.decode.batches import Batch
from invoiced_pipeline.replication.decode.columns import (
    INDEX,
    PARENT_VERSION,
    SCALE,
    TOMBSTONE,
    child_columns,
    parent_columns,
)
from invoiced_pipeline.replication.history import History
from invoiced_pipeline.replication.rejects import REJECTED, REJECTED_COLUMNS
from invoiced_pipeline.replication.request import ReplicationRequest

if TYPE_CHECKING:
    from dlt.extract import DltResource, DltSource

SOURCE_NAME = "invoiced"

# The one merge rule. `upsert` would insert both rows of an id that comes twice in one load, and
# every later load that touches the id would fail (measured with dlt 1.31, DuckDB and PostgreSQL).
_MERGE: Any = {"disposition": "merge", "strategy": "delete-insert"}


class BatchSource(Protocol):
    """Where a source takes its batches from: a replication, a sweep or a push."""

    request: ReplicationRequest

    def batches(self, table: Table, state: MutableMapping[str, Any]) -> Iterator[Batch | None]:
        """Yields one table's batches; `state` is what the dataset remembers."""
        ...


def column_hints(columns: Sequence[Column]) -> dict[str, Any]:
    """Returns dlt's declaration of some columns."""
    data_type = {"boolean": "bool"}
    hints: dict[str, Any] = {}
    for column in columns:
        hint: dict[str, Any] = {"data_type": data_type.get(column.type, column.type)}
        if column.type == "decimal":
            hint |= {"precision": 38, "scale": SCALE}
        if column.type == "timestamp":
            hint |= {"timezone": True, "precision": 6}
        hints[column.name] = hint | {"description": column.description}
    return hints


def invoiced_source(batches: BatchSource) -> "DltSource":
    """Returns a source that can run once; its resources are named after the tables."""

    @dlt.source(name=SOURCE_NAME, max_table_nesting=0)
    def invoiced() -> "list[DltResource]":
        return [_resource(table, batches) for table in batches.request.tables]

    return invoiced()


def _resource(table: Table, batches: BatchSource) -> "DltResource":
    def rows() -> Iterator[Any]:
        state = dlt.current.source_state()
        history = History(table, DatasetState(state))
        for batch in batches.batches(table, state):
            if batch is None:
                yield None  # dlt turns to the next table instead of waiting for pages of this one
                continue
            yield from history.announcements(batch)
            yield dlt.mark.with_table_name(batch.rows, batch.table_name)

    resource = dlt.resource(rows, name=table.name)()
    hints = column_hints(parent_columns(table))
    hints[table.replication_key]["dedup_sort"] = "desc"
    # All hints go to table variants: hints of the resource itself would also hold for child tables.
    resource.apply_hints(
        table_name=table.name,
        columns=hints,
        primary_key=table.primary_key,
        write_disposition=_MERGE,
        create_table_variant=True,
    )
    if table.keeps_history:
        resource.apply_hints(
            table_name=table.versions_name,
            columns=column_hints(parent_columns(table)),
            primary_key=table.primary_key,
            write_disposition="append",
            create_table_variant=True,
        )
    for child in table.children:
        hints = column_hints(child_columns(table, child))
        hints[PARENT_VERSION]["dedup_sort"] = "desc"
        hints[TOMBSTONE]["hard_delete"] = True
        resource.apply_hints(
            table_name=table.child_name(child),
            columns=hints,
            primary_key=[table.parent_column, INDEX],
            merge_key=table.parent_column,
            write_disposition=_MERGE,
            create_table_variant=True,
        )
    hints = column_hints(REJECTED_COLUMNS)
    hints[TOMBSTONE]["hard_delete"] = True
    resource.apply_hints(
        table_name=REJECTED,
        columns=hints,
        primary_key=["table_name", "id"],
        write_disposition=_MERGE,
        create_table_variant=True,
    )
    return resource
