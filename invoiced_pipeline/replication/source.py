"""The dlt source: one resource per Invoiced table, its child tables beside it."""

from collections.abc import Iterator, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import dlt

from invoiced_pipeline.catalog import Column, Table
from invoiced_pipeline.replication.decode.batches import Batch
from invoiced_pipeline.replication.decode.columns import (
    INDEX,
    PARENT_VERSION,
    SCALE,
    TOMBSTONE,
    child_columns,
    parent_columns,
)
from invoiced_pipeline.replication.rejects import REJECTED, REJECTED_COLUMNS
from invoiced_pipeline.replication.request import ReplicationRequest

if TYPE_CHECKING:
    from dlt.extract import DltResource, DltSource

SOURCE_NAME = "invoiced"

# The one merge rule. `upsert` would insert both rows of an id that comes twice in one load, and
# then fail at every later load that touches it (measured with dlt 1.31 on DuckDB and PostgreSQL).
_MERGE: Any = {"disposition": "merge", "strategy": "delete-insert"}


class BatchSource(Protocol):
    """What a source is made of: a replication, or a sweep."""

    request: ReplicationRequest

    def batches(self, table: Table, state: MutableMapping[str, Any]) -> Iterator[Batch | None]:
        """Yields one table's batches; `state` is what the dataset remembers."""
        ...


def column_hints(columns: Sequence[Column]) -> dict[str, Any]:
    """How dlt declares some columns."""
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


def invoiced_source(replication: BatchSource) -> "DltSource":
    """A source that can be run once; its resources are named after the tables."""

    @dlt.source(name=SOURCE_NAME, max_table_nesting=0)
    def invoiced() -> "list[DltResource]":
        return [_resource(table, replication) for table in replication.request.tables]

    return invoiced()


def _resource(table: Table, replication: BatchSource) -> "DltResource":
    def rows() -> Iterator[Any]:
        for batch in replication.batches(table, dlt.current.source_state()):
            # None makes dlt turn to the next table instead of waiting for this one's pages.
            yield dlt.mark.with_table_name(batch.rows, batch.table_name) if batch else None

    resource = dlt.resource(rows, name=table.name)()
    hints = column_hints(parent_columns(table))
    hints[table.replication_key]["dedup_sort"] = "desc"
    # All hints go to table variants: hints of the resource itself would reach the child tables.
    resource.apply_hints(
        table_name=table.name,
        columns=hints,
        primary_key=table.primary_key,
        write_disposition=_MERGE,
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
