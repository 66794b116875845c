"""Records that a push made or changed, in the replica before the next sync brings them.

They go the way of a sync's records: the same typing, the same merge. The coverage stays as it is.
"""

import logging
from collections.abc import Iterable, Iterator, MutableMapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.exceptions import InvoicedPipelineError
from invoiced_pipeline.nesting import shallow
from invoiced_pipeline.selection.tables import all_tables_of
from invoiced_pipeline.writeback.push.target import Target
from invoiced_pipeline.writeback.push.verification import Checked
from invoiced_pipeline.writeback.validation.stored_values import metadata_text

if TYPE_CHECKING:
    from invoiced_pipeline.replication.decode.batches import Batch
    from invoiced_pipeline.replication.request import ReplicationRequest

logger = logging.getLogger(__name__)


def upsert_answers(target: Target, operation: Operation, answers: Iterable[Checked]) -> str | None:
    """Brings the records of a push's answers into the replica, and marks the deleted ones.

    It never fails the push: what was sent is in the ledger, and the next sync brings the records.

    Returns:
        Why they are not there; None where they are, or need not be.
    """
    tables = target.connection.tables
    is_read = tables.include is None or operation.table in tables.include
    done = [each.answered for each in answers if each.answered.succeeded]
    if operation.table is None or not is_read or operation.table in tables.exclude or not done:
        return None
    of = next(each for each in all_tables_of(target.connection) if each.name == operation.table)
    # Of a record that came twice the last one: both may say the same second.
    records = {each.entry.invoiced_id: each.record for each in done if each.action != "delete"}
    whole = [record for record in records.values() if record]
    gone = [each.entry.invoiced_id for each in done if each.action == "delete"]
    try:
        if whole and _is_replicated(target, of):
            _load(target, of, whole)
        _mark(target, of, [each for each in gone if each])
    except InvoicedPipelineError as error:
        note = (
            f"The replica does not show the records of this push yet, the next sync will: {error}"
        )
        logger.warning(note)
        return note
    return None


def _is_replicated(target: Target, of: Table) -> bool:
    """Whether the table is there, or nothing is yet."""
    if not target.database.exists():
        return True
    with target.database.session(target.dataset, read_only=True) as session:
        tables = session.tables(with_column="_deleted_at")
    return of.name in tables or not tables


def _load(target: Target, of: Table, records: list[bytes]) -> None:
    from invoiced_pipeline.replication.request import ReplicationRequest
    from invoiced_pipeline.replication.source import invoiced_source
    from invoiced_pipeline.warehouse.dlt_load import load

    request = ReplicationRequest(
        tables=(of,),
        mode="sync",
        start_date=datetime.now(UTC),
        cadence=target.connection.partitions,
        connection=target.connection.name,
        host=target.host,
        run_id=target.run_id,
        privacy=target.privacy,
    )
    pipeline = target.database.pipeline(target.dataset)
    pipeline.drop()
    load(invoiced_source(_Records(request, records)), pipeline, target.database)


def _mark(target: Target, of: Table, ids: list[str]) -> None:
    from invoiced_pipeline.warehouse.deletion_marks import Mark, Marks

    now = datetime.now(UTC)
    is_number = of.column(of.primary_key).type == "bigint"
    marks = [Mark(of.name, of.primary_key, int(i) if is_number else i, now) for i in ids]
    Marks(target.database, target.dataset, target.connection.deletions).apply(marks)


class _Records:
    """A source of records that are there already."""

    def __init__(self, request: "ReplicationRequest", records: list[bytes]) -> None:
        self.request = request
        self._records = records

    def batches(self, table: Table, state: MutableMapping[str, Any]) -> "Iterator[Batch | None]":
        """Yields the records, typed; `state` is only asked whose dataset it is."""
        from invoiced_pipeline.invoiced.reading.pages import Page
        from invoiced_pipeline.replication.dataset_state import DatasetState
        from invoiced_pipeline.replication.decode.batches import Batcher

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
    """A record as lists show it: the answer to a write repeats metadata as it was sent."""
    if shallow(record) != record:
        return record  # the decoding of records leaves it out; the next sync rejects it
    fields = msgspec.json.decode(record, type=dict[str, msgspec.Raw])
    metadata = msgspec.json.decode(fields.get("metadata", msgspec.Raw(b"null")))
    if not isinstance(metadata, dict) or all(isinstance(each, str) for each in metadata.values()):
        return record
    texts = {name: metadata_text(value) for name, value in metadata.items()}
    return msgspec.json.encode(fields | {"metadata": msgspec.Raw(msgspec.json.encode(texts))})
