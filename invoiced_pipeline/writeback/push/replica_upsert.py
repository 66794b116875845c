"""Loads the records that a push created or changed into the replica, before the next sync.

They are typed and merged as in a sync. The coverage stays the same.
"""

import logging
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.exceptions import InvoicedPipelineError
from invoiced_pipeline.invoiced.reading.pages import Page
from invoiced_pipeline.nesting import shallow
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.decode.batches import Batch, Batcher
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.source import invoiced_source
from invoiced_pipeline.selection.tables import all_tables_of, is_selected
from invoiced_pipeline.warehouse.deletion_marks import Mark, Marks
from invoiced_pipeline.warehouse.dlt_load import load
from invoiced_pipeline.writeback.push.context import PushContext
from invoiced_pipeline.writeback.push.verification import RowResponse
from invoiced_pipeline.writeback.validation.stored_values import metadata_text

logger = logging.getLogger(__name__)


def upsert_records(
    context: PushContext, operation: Operation, responses: Iterable[RowResponse]
) -> str | None:
    """Loads the records of a push's responses into the replica, and marks deleted ones.

    It never fails the push: what was sent is in the ledger, and the next sync reads the records.

    Returns:
        Why they are not in the replica; None if they are, or if it need not have them.
    """
    connection, name = context.connection, operation.table
    done = [response for response in responses if response.succeeded]
    if name is None or not is_selected(connection, name) or not done:
        return None
    table = next(table for table in all_tables_of(connection) if table.name == name)
    # The last response per record: `updated_at` may show the same second in both.
    records = {each.entry.invoiced_id: each.record for each in done if each.action != "delete"}
    known = [record for record in records.values() if record]
    deleted = [each.entry.invoiced_id for each in done if each.action == "delete"]
    try:
        if known and _is_replicated(context, table):
            _load(context, table, known)
        _mark_deleted(context, table, [each for each in deleted if each])
    except InvoicedPipelineError as error:
        note = f"The replica will show the records of this push only after the next sync: {error}"
        logger.warning(note)
        return note
    return None


def _is_replicated(context: PushContext, table: Table) -> bool:
    """Whether the dataset has the table, or no table yet."""
    if not context.database.exists():
        return True
    with context.database.session(context.dataset, read_only=True) as session:
        tables = session.tables(with_column="_deleted_at")
    return table.name in tables or not tables


def _load(context: PushContext, table: Table, records: list[bytes]) -> None:
    request = ReplicationRequest(
        tables=(table,),
        mode="sync",
        start_date=datetime.now(UTC),
        cadence=context.connection.partitions,
        connection=context.connection.name,
        host=context.host,
        run_id=context.run_id,
        privacy=context.privacy,
    )
    pipeline = context.database.pipeline(context.dataset)
    pipeline.drop()
    load(invoiced_source(_Records(request, records)), pipeline, context.database)


def _mark_deleted(context: PushContext, table: Table, ids: Sequence[str]) -> None:
    now = datetime.now(UTC)
    is_number = table.column(table.primary_key).type == "bigint"
    marks = [Mark(table.name, table.primary_key, int(i) if is_number else i, now) for i in ids]
    Marks(context.database, context.dataset, context.connection.deletions).apply(marks)


class _Records:
    """A source of records that are already in memory."""

    def __init__(self, request: ReplicationRequest, records: list[bytes]) -> None:
        self.request = request
        self._records = records

    def batches(self, table: Table, state: MutableMapping[str, Any]) -> Iterator[Batch | None]:
        """Yields the records, typed; reads from `state` only whose dataset it is."""
        dataset = DatasetState(state)
        dataset.check_owner(self.request)
        batcher = Batcher(table, privacy=self.request.privacy)
        if dataset.columns(table.name) is None:
            dataset.claim(self.request)
            yield from batcher.empty()
        body = b"[" + b",".join(map(_as_listed, self._records)) + b"]"
        yield from batcher.add(Page(body, [], frozenset(), None, None))
        yield from batcher.flush()


def _as_listed(record: bytes) -> bytes:
    """Returns a record as lists show it; a response has the metadata as it was sent."""
    if shallow(record) != record:
        return record  # decoding skips it, and the next sync rejects it
    fields = msgspec.json.decode(record, type=dict[str, msgspec.Raw])
    metadata = msgspec.json.decode(fields.get("metadata", msgspec.Raw(b"null")))
    if not isinstance(metadata, dict) or all(isinstance(each, str) for each in metadata.values()):
        return record
    texts = {name: metadata_text(value) for name, value in metadata.items()}
    return msgspec.json.encode(fields | {"metadata": msgspec.Raw(msgspec.json.encode(texts))})
