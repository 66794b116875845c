"""The declaration of a table: created or widened with all its columns before rows are loaded."""

from collections.abc import Iterator

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.replication.decode.batches import Batch, Batcher
from invoiced_pipeline.replication.decode.columns import child_columns, parent_columns
from invoiced_pipeline.replication.rejects import REJECTED, REJECTED_COLUMNS, Rejects
from invoiced_pipeline.replication.table.table_context import TableContext


def declare(context: TableContext, batcher: Batcher) -> Iterator[Batch]:
    """Yields empty batches that create the table, add the columns it lacks, or switch its history.

    Call it after the API's first response: a run with a wrong key or host must leave nothing
    behind, and must not claim the dataset.
    """
    table, dataset, request = context.table, context.dataset, context.run.request
    dataset.claim(request)
    columns = _column_names(table)
    is_switched = table.keeps_history != (dataset.history_since(table.name) is not None)
    if dataset.columns(table.name) != columns or is_switched:
        dataset.set_columns(table.name, columns)
        yield from batcher.empty()
        yield Batch(REJECTED, Rejects(table.name, ()).rows(request.run_id))


def _column_names(table: Table) -> list[str]:
    """Names that differ if the table's declaration has changed since it was created."""
    own = [column.name for column in parent_columns(table)]
    children = [
        f"{child.array}.{column.name}"
        for child in table.children
        for column in child_columns(table, child)
    ]
    return own + children + [f"{REJECTED}.{column.name}" for column in REJECTED_COLUMNS]
