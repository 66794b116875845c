"""Pages as Arrow tables: one for the table and one for each of its child tables.

A batch holds a few thousand records, so that memory does not grow with the table.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.reading.pages import Page
from invoiced_pipeline.nesting import elements
from invoiced_pipeline.replication.decode.arrow import arrow_table
from invoiced_pipeline.replication.decode.child_rows import ChildRows
from invoiced_pipeline.replication.decode.columns import parent_columns
from invoiced_pipeline.replication.decode.plan_versions import mark_variant, one_per_id
from invoiced_pipeline.replication.decode.records import (
    RecordDecoder,
    Reject,
    UntypableError,
    by_column,
    too_deep,
)
from invoiced_pipeline.replication.decode.redaction import RecordRedactor
from invoiced_pipeline.selection.privacy import Privacy

TYPED_ROWS = 2_000
TYPED_BYTES = 4_000_000
"""Records, and bytes of JSON, that are typed together: as Python objects they need most memory."""

BATCH_BYTES = 6_000_000
"""Size of a batch: dlt goes over all columns of a table again for every batch (8 ms for 50 columns,
measured with dlt 1.31)."""

_BEFORE_ALL = -(2**63)
"""The version of a record without `updated_at`: any other is newer."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one warehouse table; `record_count` is 0 for child tables."""

    table_name: str
    rows: pa.Table
    record_count: int = 0


@dataclass(slots=True)
class Batcher:
    """Turns one table's pages into batches, over one load or several.

    Attributes:
        table: What the pages hold.
        is_new: Whether the warehouse holds no rows of the table yet.
        privacy: What is hashed and dropped.
        rejects: Records that could not be typed so far.
        seconds: Time spent on typing records and converting them to Arrow.
    """

    table: Table
    is_new: bool = False
    privacy: Privacy = field(default_factory=Privacy)
    rejects: list[Reject] = field(default_factory=list)
    seconds: float = 0.0
    _redactor: RecordRedactor = field(init=False)
    _decoder: RecordDecoder = field(init=False)
    _children: list[ChildRows] = field(init=False)
    _versions_of_ids: list[Any] = field(default_factory=list)
    """Records of a table that is listed as a whole, several of which may share an id."""
    _pending: list[Any] = field(default_factory=list)
    _pending_bytes: int = 0
    _typed: dict[str, list[Batch]] = field(default_factory=dict)
    """Typed rows that are not yielded yet, by warehouse table."""
    _versions: dict[Any, int] = field(default_factory=dict)
    """`updated_at` of the package's records, by primary key; only kept for child tables and a
    history."""

    def __post_init__(self) -> None:
        self._redactor = RecordRedactor(self.table, self.privacy)
        self._decoder = RecordDecoder(
            self.table.name, self._redactor.columns, key=self.table.primary_key
        )
        self._children = [ChildRows(self.table, child) for child in self.table.children]

    def empty(self) -> Iterator[Batch]:
        """Yields one empty batch per table, so that the tables exist with all their columns."""
        yield from self._batches([])

    def add(self, page: Page) -> Iterator[Batch]:
        """Adds a page; yields batches once enough rows are collected.

        Records of a table that is listed as a whole wait for `take_versions`.
        """
        records = self.decode(page)
        if self.table.listing == "whole":
            mark_variant(records, page.variant)
            self._versions_of_ids += records
            return
        self._pending += records
        self._pending_bytes += len(page.body)
        if len(self._pending) >= TYPED_ROWS or self._pending_bytes >= TYPED_BYTES:
            self._type_pending()
            yield from self._handed_on(BATCH_BYTES)

    def decode(self, page: Page) -> list[Any]:
        """Returns a page's wanted records, typed and redacted; adds untypable ones to `rejects`."""
        with self._timed():
            try:
                records, rejects = self._decode(page.body)
            except RecursionError:
                records, rejects = self._decode_one_by_one(page.body)
        if not rejects and len(records) == len(page.stamps):
            return [record for at, record in enumerate(records) if at not in page.skip]
        skipped = {str(page.stamps[at].id) for at in page.skip}
        wanted = [reject for reject in rejects if reject.id not in skipped]
        self.rejects += self._redactor.redact_rejects(wanted)
        return [record for record in records if str(self._key(record)) not in skipped]

    def _decode(self, body: bytes) -> tuple[list[Any], list[Reject]]:
        records, rejects = self._decoder.decode(body)
        self._redactor.apply(records)
        return records, rejects

    def _decode_one_by_one(self, body: bytes) -> tuple[list[Any], list[Reject]]:
        """Decodes a page with a record that is nested too deeply, and rejects only that record."""
        records: list[Any] = []
        rejects: list[Reject] = []
        for element in elements(body):
            try:
                found, refused = self._decode(b"[" + element + b"]")
            except RecursionError:
                found, refused = [], [too_deep(element, self.table.primary_key)]
            records += found
            rejects += refused
        return records, rejects

    def take_versions(self, wanted: Callable[[Any], bool] = lambda _: True) -> Iterator[Batch]:
        """Chooses one version of each id, once all pages are added; yields the rows that are left.

        Args:
            wanted: Which of the chosen records to load.
        """
        versions, self._versions_of_ids = self._versions_of_ids, []
        self._pending += [record for record in one_per_id(versions) if wanted(record)]
        yield from self.flush()

    @property
    def unknown_fields(self) -> set[str]:
        """Fields seen so far that have no column; a child's as `<array>.<field>`."""
        arrays = zip(self.table.children, self._children, strict=True)
        inner = (f"{child.array}.{name}" for child, rows in arrays for name in rows.unknown_fields)
        return self._decoder.unknown_fields.union(inner)

    def flush(self) -> Iterator[Batch]:
        """Yields the rows that are left, if any."""
        self._type_pending()
        yield from self._handed_on(0)

    def begin_package(self) -> None:
        """Forgets the versions of records: those of the next package are the newest by then."""
        self._versions.clear()
        self.is_new = False

    @property
    def _knows_versions(self) -> bool:
        return bool(self._children) or self.table.keeps_history

    def _type_pending(self) -> None:
        records = self._newest_versions() if self._knows_versions else self._pending
        older = self._older_versions(records) if self.table.keeps_history else []
        self._pending, self._pending_bytes = [], 0
        if records or older:
            for batch in self._batches(records, older):
                self._typed.setdefault(batch.table_name, []).append(batch)

    def _handed_on(self, least_bytes: int) -> Iterator[Batch]:
        """Yields one batch for each table that has collected enough rows."""
        for name, batches in list(self._typed.items()):
            if sum(batch.rows.nbytes for batch in batches) >= least_bytes:
                del self._typed[name]
                rows = pa.concat_tables([batch.rows for batch in batches])
                yield Batch(name, rows, sum(batch.record_count for batch in batches))

    def _batches(self, records: list[Any], older: Sequence[Any] = ()) -> Iterator[Batch]:
        """Yields one batch per table.

        Args:
            records: Each id once, in its newest version.
            older: Older versions, which only the history keeps: the merge takes the newest row.
        """
        with self._timed():
            try:
                rows = self._rows([*records, *older])
            except UntypableError:
                records = [record for record in records if self._amounts_fit(record)]
                older = [record for record in older if self._amounts_fit(record)]
                rows = self._rows([*records, *older])
        yield Batch(self.table.name, rows, rows.num_rows)
        superseded = {self._key(record) for record in records} & self._versions.keys()
        for child in self._children:
            with self._timed():
                rows = child.rows(records, superseded, is_new=self.is_new)
            if rows.num_rows or not (records or older):
                yield Batch(child.name, rows)
        if self._knows_versions:
            self._versions.update((self._key(record), _version(record)) for record in records)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - began

    def _rows(self, records: list[Any]) -> pa.Table:
        values = by_column(self.table.columns, records)
        for name in self._redactor.unread:
            del values[name]  # a column without values is all NULL
        return arrow_table(parent_columns(self.table), values)

    def _newest_versions(self) -> list[Any]:
        """Returns pending records that are newer than any other known version of the record.

        A record that changes while it is read can come twice, but its children must be those of
        the newest version only.
        """
        newest: dict[Any, Any] = {}
        for record in self._pending:
            key = self._key(record)
            known = newest.get(key)
            least = self._versions.get(key, _BEFORE_ALL - 1)
            if known is not None:
                least = max(least, _version(known))
            if _version(record) > least:
                newest[key] = record
        return list(newest.values())

    def _older_versions(self, newest: list[Any]) -> list[Any]:
        """Returns pending records with another version that is newer, in this load."""
        times = {self._key(record): _version(record) for record in newest}

        def newest_version(key: Any) -> int:
            return times.get(key, self._versions.get(key, _BEFORE_ALL))

        return [
            record
            for record in self._pending
            if _version(record) < newest_version(self._key(record))
        ]

    def _key(self, record: Any) -> Any:
        return getattr(record, self.table.primary_key)

    def _amounts_fit(self, record: Any) -> bool:
        try:
            self._rows([record])
        except UntypableError as error:
            kept = self._redactor.reject_body(record)
            self.rejects.append(Reject(str(self._key(record)), str(error), kept))
            return False
        return True


def _version(record: Any) -> int:
    return _BEFORE_ALL if record.updated_at is None else record.updated_at
