"""One table's part of a run, from its pages to its report."""

import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from invoiced_pipeline.exceptions import ApiError, InvoicedPipelineError
from invoiced_pipeline.invoiced.reading.identifiers import Identifiers
from invoiced_pipeline.invoiced.reading.pages import Page
from invoiced_pipeline.invoiced.reading.per_parent import parents_of
from invoiced_pipeline.invoiced.reading.table_reader import TableReader, lies_in
from invoiced_pipeline.replication.availability import NO_TABLE, lacks
from invoiced_pipeline.replication.decode.batches import Batch, Batcher
from invoiced_pipeline.replication.deletions.absent_records import AbsentRecords
from invoiced_pipeline.replication.deletions.vanished_transactions import VanishedTransactions
from invoiced_pipeline.replication.failure_list import cause_of, reason_of
from invoiced_pipeline.replication.table.covered_pages import CoveredPages
from invoiced_pipeline.replication.table.declaration import declare
from invoiced_pipeline.replication.table.gaps import note_gaps
from invoiced_pipeline.replication.table.loaded_rows import LoadedRows
from invoiced_pipeline.replication.table.log_lines import log_table
from invoiced_pipeline.replication.table.merged_customers import pages_of_survivors
from invoiced_pipeline.replication.table.reject_retry import RejectRetry
from invoiced_pipeline.replication.table.table_context import TableContext

logger = logging.getLogger(__name__)


class TableRun:
    """Replicates one table; iterate `batches` once for each package, until `has_ended`.

    Attributes:
        has_ended: Whether all of the table is read, or it failed.

    Args:
        context: The table.
        reader: Reads its windows; it has begun.
    """

    def __init__(self, context: TableContext, reader: TableReader) -> None:
        self._context = context
        self._table = table = context.table
        self._run = run = context.run
        self._dataset = context.dataset
        self._report = context.report
        self._deletions = self._deletions_to_find()
        self._asks_all = table.parent is not None and context.report.mode == "full"
        self._listed = Identifiers()
        self._is_new = context.dataset.columns(table.name) is None
        self._batcher = Batcher(table, is_new=self._is_new, privacy=run.request.privacy)
        self._covered = CoveredPages(context, reader)
        self._retry = RejectRetry(context, self._batcher)
        self._rows = LoadedRows(context)
        self._began: float | None = None
        self._all_records = self._records()
        self.has_ended = False

    def batches(self) -> Iterator[Batch | None]:
        """Yields the table's batches of one package, and notes its coverage at the end.

        Yields None while no page has arrived. An error is kept in the report: what was read until
        then is loaded, and the coverage stays as it was.
        """
        if self.has_ended:
            return
        report = self._report
        if self._began is None:
            self._began, report.started_at = time.monotonic(), datetime.now(UTC)
        is_whole = can_go_on = False
        try:
            for batch in self._all_records:
                if batch is None and self._run.package.is_full and self._covered.pause():
                    self._settle()
                    yield from self._end_package(can_go_on=True)
                    self._covered.resume()
                    return
                self._count(batch)
                yield batch
            report.was_unavailable = self._dataset.is_unavailable(self._table.name)
            self._dataset.note_available(self._table.name)
            self._covered.note_coverage()
            self._dataset.forget_survivors(self._table.name)
            is_whole = report.mode == "full"
            if self._asks_all:
                self._run.listed[self._table.name] = self._listed
        except InvoicedPipelineError as error:
            if lacks(self._table, error):
                yield from self._leave_out(error)
            else:
                report.error, report.cause = str(error), cause_of(error)
                report.reason = reason_of(error)
                can_go_on = isinstance(error, ApiError)
        except Exception as error:  # one table's error must not stop the others
            logger.exception("%s: unexpected error", self._table.name)
            report.error, report.reason = f"{type(error).__name__}: {error}", reason_of(error)
        self._run.availability.settle(self._table.name)
        self.has_ended = True
        yield from self._end_package(is_whole=is_whole, can_go_on=can_go_on)
        report.typing_seconds = self._batcher.seconds
        report.seconds, report.finished_at = time.monotonic() - self._began, datetime.now(UTC)
        new_fields = self._dataset.announce_fields(report.table, self._batcher.unknown_fields)
        log_table(report, new_fields)

    def _end_package(self, *, can_go_on: bool, is_whole: bool = False) -> Iterator[Batch]:
        """Hands on what was read, and notes all that the next package or run must know of it.

        Args:
            can_go_on: Whether there is more to read, after what was read until now.
            is_whole: Whether the run has read the whole table.
        """
        for batch in self._batcher.flush():
            self._count(batch)
            yield batch
        yield from self._retry.keep()
        self._rows.look_up_replaced(is_new=self._is_new, is_last=self.has_ended)
        note_gaps(self._context, is_whole=is_whole)
        if self._retry.is_over_limit:
            self._dataset.set_partial_read(self._table.name, None)
        elif can_go_on and all(each.is_settled for each in self._deletions):
            self._covered.note_partial()
        self._batcher.begin_package()
        self._is_new = False

    def _settle(self) -> None:
        """Marks the records of the pages seen that are gone."""
        for deletions in self._deletions:
            deletions.settle()

    def _records(self) -> Iterator[Batch | None]:
        """Yields the windows' records, those that a merge moved, and former rejects that fit."""
        yield from self._window_records()
        if not self._report.pages:
            yield from self._declare()
        for page in pages_of_survivors(self._context):
            self._note_listed(page)
            yield from self._batcher.add(page)
        self._settle()
        windows = self._report.windows
        yield from self._batcher.take_versions(lambda row: lies_in(windows, row.updated_at))
        yield from self._retry.batches()

    def _window_records(self) -> Iterator[Batch | None]:
        for page in self._covered.pages():
            if page is None:
                yield None
                continue
            if not self._report.pages:
                self._run.availability.note_readable()
                yield from self._declare()
            self._report.pages += 1
            for deletions in self._deletions:
                deletions.see(page)
            if page.parents:
                self._count_parents(page)
            self._note_listed(page)
            yield from self._batcher.add(page)
            self._run.package.add(len(page.stamps) - len(page.skip))
            if self._run.package.is_full and self._covered.pause():
                yield None  # all of the page is with the batcher, so the package can end here

    def _note_listed(self, page: Page) -> None:
        """Notes the ids on a page if all parents are asked: the sweep need not ask them again."""
        if self._asks_all:
            self._listed.add(page, parents_of(self._table, page))

    def _deletions_to_find(self) -> list[VanishedTransactions | AbsentRecords]:
        """Returns what finds deletions in the table's pages."""
        table, deletions = self._table, self._run.deletions
        if deletions is None:
            return []
        if table.name == "payments":
            return [deletions.vanished]
        has_rows = self._dataset.columns(table.name) is not None
        return [deletions.absent_records(table)] if table.parent is not None and has_rows else []

    def _count_parents(self, page: Page) -> None:
        report = self._report
        report.parents += len(page.parents)
        report.expected_parents = self._covered.expected_parents
        logger.debug(
            "%s: %d parents asked", self._table.name, report.parents, extra={"report": report}
        )

    def _leave_out(self, error: InvoicedPipelineError) -> Iterator[Batch | None]:
        """Leaves out a table that the account does not have; its rows and coverage stay.

        Waits until another table shows that the key is the right one: a wrong key must leave
        nothing behind.

        Args:
            error: The API's refusal.
        """
        words = str(error)
        self._run.availability.settle(self._table.name)
        while (is_key_right := self._run.availability.is_key_right()) is None:
            yield None
        if not is_key_right:
            self._report.error = NO_TABLE.format(words=words)
            self._report.cause = NO_TABLE.format(words=cause_of(error))
            self._report.reason = reason_of(error)
            return
        self._report.unavailable = words
        self._dataset.note_unavailable(self._table.name)
        yield from self._declare()  # queries over all tables work, empty or not

    def _declare(self) -> Iterator[Batch]:
        return declare(self._context, self._batcher)

    def _count(self, batch: Batch | None) -> None:
        if batch is not None and batch.record_count:
            self._rows.count(batch)
            self._retry.note_loaded(batch)
