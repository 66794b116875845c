"""The sweep of one table: compares the ids that the API lists with the warehouse's rows.

It finds what neither an event nor a window shows: deletions whose event was lost, transactions that
vanished, records that a merge moved, and records without `updated_at`, which it brings. It does not
change the coverage.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.exceptions import InvoicedPipelineError, SweepRefusedError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.reading.identifiers import (
    Identifiers,
    list_identifiers,
    missing_records,
    read_records,
)
from invoiced_pipeline.invoiced.reading.pages import Page
from invoiced_pipeline.invoiced.reading.per_parent import list_children, read_children
from invoiced_pipeline.invoiced.reading.table_reader import lies_in
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.availability import lacks
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.decode.batches import Batch, Batcher
from invoiced_pipeline.replication.deletions.consequences import customer_columns
from invoiced_pipeline.replication.failure_list import cause_of, reason_of
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.sweep.report import SweepReport
from invoiced_pipeline.warehouse.deletion_marks import KnownIds, Mark, Marks
from invoiced_pipeline.windows import FOREVER, Window

logger = logging.getLogger(__name__)

ALWAYS_ALLOWED = 100
"""Rows that a sweep may mark in any table, however small it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepContext:
    """What all tables of a sweep share.

    Attributes:
        client: Where to read.
        request: Which tables, and the start date.
        dataset: What the dataset remembers.
        marks: The warehouse's rows, and where deletions are marked.
        max_share: The largest share of a table's rows that may be marked.
        listed: The ids of tables that were listed just now, by table.
    """

    client: InvoicedClient
    request: ReplicationRequest
    dataset: DatasetState
    marks: Marks
    max_share: float
    listed: Mapping[str, Identifiers] = field(default_factory=dict)


class TableSweep:
    """Marks a table's rows whose records are gone, and finds the records that it lacks.

    Attributes:
        report: What the sweep did so far.
        lacking: Ids of records to bring.
        gone: Ids of records that the API no longer has.
    """

    def __init__(self, table: Table, context: SweepContext) -> None:
        self.report = SweepReport(table.name, coverage=context.dataset.coverage(table.name))
        self.lacking: set[Any] = set()
        self.gone: set[Any] = set()
        self._table = table
        self._context = context
        self._listed = Identifiers()

    def run(self, executor: ThreadPoolExecutor, gone_customers: Set[Any]) -> None:
        """Compares the table; an error is kept in the report.

        Args:
            executor: Runs requests in parallel.
            gone_customers: Customers that this sweep found to be gone.
        """
        began, self.report.started_at = time.monotonic(), datetime.now(UTC)
        try:
            self._compare(executor, gone_customers)
        except InvoicedPipelineError as error:
            self._note(error)
        self.report.seconds = time.monotonic() - began
        self._log()

    def records(self, batcher: Batcher) -> Iterator[Batch]:
        """Yields the records that the warehouse lacks; an error is kept in the report."""
        try:
            for batch in self._bring(batcher):
                self.report.brought += batch.record_count
                yield batch
        except InvoicedPipelineError as error:
            self._note(error)

    def _compare(self, executor: ThreadPoolExecutor, gone_customers: Set[Any]) -> None:
        report, marks = self.report, self._context.marks
        # The rows first: a record created while the ids are listed has no row yet. Ids listed by
        # a full refresh came before the rows that it loaded, and hold all of these.
        known = marks.known_ids(self._table.name)
        report.rows = len(known.present)
        self._listed = self._list(executor)
        report.listed = len(self._listed.seconds)
        self.lacking |= self._wanted(known) | self._changed(known)
        unlisted = known.present - self._listed.seconds.keys()
        if unlisted and not marks.are_ignored:
            self._mark(unlisted, executor)
        customers = self.gone if self._table.name == "customers" else gone_customers
        self.lacking |= self._moved(list(customers))

    def _mark(self, unlisted: Set[Any], executor: ThreadPoolExecutor) -> None:
        table, report, client = self._table, self.report, self._context.client
        self._check_share(len(unlisted))
        # Each is asked for alone: a list may miss a record that another request shows.
        self.gone = set(unlisted)
        if table.parent is None:  # else all of its parent's records were on one page
            self.gone = missing_records(client, table, unlisted, executor, report.tally)
        at = self._listed.server_time or datetime.now(UTC)
        marks = [
            Mark(table.name, table.primary_key, record, at, is_certain=True) for record in self.gone
        ]
        report.deleted = self._context.marks.apply(marks)[table.name]

    def _moved(self, customers: Sequence[Any]) -> set[Any]:
        """Ids of listed records whose rows still name a customer that is gone.

        The event of that merge was lost, and a merge does not change `updated_at` (observed).
        """
        return {
            record
            for column in customer_columns(self._table)
            for record, _ in self._context.marks.present(self._table.name, column, customers)
            if record in self._listed.seconds
        }

    def _list(self, executor: Executor) -> Identifiers:
        if (known := self._context.listed.get(self._table.name)) is not None:
            return known
        client, tally = self._context.client, self.report.tally
        list_ids = list_identifiers if self._table.parent is None else list_children
        return list_ids(client, self._table, executor, tally)

    def _changed(self, known: KnownIds) -> set[Any]:
        """Ids of records that changed without an event, or moved to another parent.

        No window shows changes of records that the API lists per parent; only events do.
        """
        table, context = self._table, self._context
        if table.parent is None:
            return set()
        rows = context.marks.versions(table.name, table.parent.column)
        wanted = (Window(context.request.start_date, FOREVER),)
        listed = {
            record: (second, self._listed.parents[record])
            for record, second in self._listed.seconds.items()
            if record in known.present and lies_in(wanted, second)
        }
        return {record for record, version in listed.items() if rows.get(record) != version}

    def _wanted(self, known: KnownIds) -> set[Any]:
        """Ids of records that the warehouse should hold and does not.

        It should hold what its coverage claims, from the start date on, and what no window can
        show. The record of a marked row exists again, whatever its date. The next sync brings
        newer records and asks again for rejects. Newer records of a parent are brought at once:
        the next sync would know of them only by an event, which may be lost.
        """
        context, name = self._context, self._table.name
        rejected = {key for key, _ in context.dataset.rejected(name)}
        wanted = Window(context.request.start_date, FOREVER)
        covered = context.dataset.coverage(name).windows
        windows = tuple(window.intersect(wanted) for window in covered)
        if covered and self._table.parent is not None:
            windows = (wanted,)
        return {
            record
            for record, second in self._listed.seconds.items()
            if record not in known.present
            and str(record) not in rejected
            and (record in known.gone or lies_in(windows, second))
        }

    def _check_share(self, unlisted: int) -> None:
        rows, max_share, name = self.report.rows, self._context.max_share, self._table.name
        if unlisted <= max(ALWAYS_ALLOWED, int(max_share * rows)):
            return
        share = unlisted / rows
        message = (
            f"the API does not list {unlisted:,} of {counted(rows, 'row')} of {name} "
            f"({share:.0%}), which is more than the {max_share:.0%} that a sweep may mark: none "
            "was marked. Check that this is the right account and that the key may see all "
            "records. If the records are really gone, run: invoiced-pipeline sweep "
            f"--select {name} --allow-share {_above(share)}"
        )
        raise SweepRefusedError(message)

    def _bring(self, batcher: Batcher) -> Iterator[Batch]:
        for page in self._pages():
            yield from batcher.add(page)
        yield from batcher.take_versions()

    def _pages(self) -> Iterator[Page]:
        """Yields pages with the records that the warehouse lacks."""
        client, tally = self._context.client, self.report.tally
        if self._table.parent is None:
            yield from read_records(client, self._table, self.lacking, self._listed, tally)
            return
        with ThreadPoolExecutor(client.limit.capacity, thread_name_prefix="invoiced") as executor:
            wanted = {record: self._listed.parents[record] for record in self.lacking}
            yield from read_children(client, self._table, wanted, executor, tally)

    def _note(self, error: InvoicedPipelineError) -> None:
        self.report.cause, self.report.reason = cause_of(error), reason_of(error)
        if lacks(self._table, error):
            self.report.unavailable = str(error)
        else:
            self.report.error = str(error)

    def _log(self) -> None:
        report = self.report
        if report.unavailable:
            return  # one line for all such tables is logged at the end
        if report.error:
            logger.error("%s: %s", report.table, report.error)
            return
        rows = counted(report.rows, "row")
        logger.info("%s: %d listed, %s, %d gone", report.table, report.listed, rows, report.deleted)


def _above(share: float) -> float:
    """The share as a person would allow it: rounded up to a tenth."""
    return min(1.0, int(share * 10 + 1) / 10)
