"""One table's part of a run: its pages, what was rejected before, and what became of it."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from datetime import UTC, datetime
from functools import partial
from typing import Any

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.exceptions import InvoicedPipelineError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.reading.pages import Page
from invoiced_pipeline.invoiced.reading.related import read_related
from invoiced_pipeline.invoiced.reading.single_record import pages_of
from invoiced_pipeline.invoiced.reading.table_reading import Reading, lies_in
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.availability import NO_TABLE, Availability, lacks
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.decode.batches import Batch, Batcher
from invoiced_pipeline.replication.decode.columns import child_columns, parent_columns
from invoiced_pipeline.replication.decode.plan_versions import mark_variant, one_per_id
from invoiced_pipeline.replication.deletions.consequences import customer_columns
from invoiced_pipeline.replication.deletions.feed import DeletionFeed
from invoiced_pipeline.replication.failure_list import cause_of
from invoiced_pipeline.replication.rejects import REJECTED, REJECTED_COLUMNS, Rejects, judge
from invoiced_pipeline.replication.replaced_rows import MOST_IDS, ReplacedRows
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.wrong_clock import WRONG_CLOCK, doubtful, remember
from invoiced_pipeline.selection.tables import unloaded
from invoiced_pipeline.windows import FOREVER, Coverage, Window

logger = logging.getLogger(__name__)


class TableRun:
    """Reads one table; iterate `batches` once."""

    def __init__(  # noqa: PLR0913 - made in one place
        self,
        table: Table,
        reading: Reading,
        *,
        client: InvoicedClient,
        executor: Executor,
        request: ReplicationRequest,
        dataset: DatasetState,
        report: TableReport,
        deletions: DeletionFeed | None,
        availability: Availability,
        replaced: ReplacedRows | None = None,
    ) -> None:
        self._table = table
        self._reading = reading
        self._client = client
        self._executor = executor
        self._request = request
        self._dataset = dataset
        self._report = report
        self._deletions = deletions
        self._availability = availability
        self._replaced = replaced
        self._ids: list[Any] = []
        self._is_new = dataset.columns(table.name) is None
        self._batcher = Batcher(table, is_new=self._is_new, privacy=request.privacy)
        self._rejects = Rejects(table.name, dataset.rejected(table.name))
        self._doubtful: Window | None = None
        self._again: Reading | None = None

    def batches(self) -> Iterator[Batch | None]:
        """Yields the table's batches and notes its coverage at the end.

        None says that nothing has arrived yet. An error is kept in the report; what was read until
        then is loaded, and the coverage stays.
        """
        report = self._report
        began, report.started_at = time.monotonic(), datetime.now(UTC)
        is_whole = False
        try:
            for batch in self._read_and_ask_again():
                if batch is not None:
                    self._count(batch)
                yield batch
            self._dataset.note_available(self._table.name)
            self._note_coverage()
            self._dataset.forget_survivors(self._table.name)
            is_whole = report.mode == "full"
        except InvoicedPipelineError as error:
            if lacks(self._table, error):
                yield from self._leave_out(error)
            else:
                report.error, report.cause = str(error), cause_of(error)
        except Exception as error:  # one table must not cost the others
            logger.exception("%s: unexpected error", self._table.name)
            report.error = f"{type(error).__name__}: {error}"
        self._availability.settle(self._table.name)
        for batch in self._batcher.flush():  # what was read before an error
            self._count(batch)
            yield batch
        self._rejects.meet(self._batcher.rejects)
        yield from self._keep()
        self._look_up_replaced()
        self._note_gaps(is_whole=is_whole)
        report.typing_seconds = self._batcher.seconds
        report.seconds, report.finished_at = time.monotonic() - began, datetime.now(UTC)
        unknown = self._batcher.unknown_fields
        self._announce(self._dataset.announce_fields(self._table.name, unknown))

    def _read_and_ask_again(self) -> Iterator[Batch | None]:
        """The windows' records, then those rejected before, which may fit by now.

        Raises:
            InvoicedPipelineError: More was rejected than can be asked for again.
        """
        yield from self._read()
        self._rejects.meet(self._batcher.rejects)
        self._rejects.forget_nameless()
        refused = judge(self._rejects, self._report.rows, self._request.reject_share)
        self._report.alarm = refused.alarm
        yield from self._ask_again()
        if refused.error:
            raise InvoicedPipelineError(refused.error)

    def _leave_out(self, error: InvoicedPipelineError) -> Iterator[Batch | None]:
        """Leaves out a table that the account does not have; its rows and coverage stay.

        It waits until another table shows that the key is the right one: a wrong one shall leave
        nothing behind.

        Args:
            error: What the API says.
        """
        words = str(error)
        self._availability.settle(self._table.name)
        while (is_key_right := self._availability.is_key_right()) is None:
            yield None
        if not is_key_right:
            self._report.error = NO_TABLE.format(words=words)
            self._report.cause = NO_TABLE.format(words=cause_of(error))
            return
        self._report.unavailable = words
        self._dataset.note_unavailable(self._table.name)
        yield from self._declare()  # queries over all tables work, empty or not

    def _note_coverage(self) -> None:
        report, name = self._report, self._table.name
        report.covered = tuple(
            window
            for reading in (self._reading, self._again)
            if reading is not None
            for window in reading.covered()
        )
        known = report.coverage_before
        if self._doubtful is not None:
            known = known.remove(self._doubtful)
        report.coverage = known.add(*report.covered)
        self._dataset.set_coverage(name, report.coverage)
        clock = self._reading.clock
        if clock is not None and report.coverage.until != report.coverage_before.until:
            seen = [each.newest for each in (self._reading, self._again) if each is not None]
            newest = max((each for each in seen if each is not None), default=None)
            self._dataset.set_clock(
                name,
                remember(
                    self._dataset.clock(name), clock=clock, now=datetime.now(UTC), newest=newest
                ),
            )

    def _pages(self) -> Iterator[Page | None]:
        """The windows' pages, and those of what was covered under a wrong clock."""
        yield from self._reading.pages()
        report, name = self._report, self._table.name
        self._doubtful = doubtful(
            report.coverage_before.until,
            self._dataset.clock(name),
            clock=self._reading.clock,
            now=datetime.now(UTC),
            earliest=self._request.start_date,
        )
        if self._doubtful is None:
            return
        logger.warning("%s: %s", name, WRONG_CLOCK)
        report.warning = " ".join(filter(None, (report.warning, WRONG_CLOCK)))
        if report.mode == "window":
            return  # the next sync reads what is no longer covered
        start = max(self._request.start_date, self._doubtful.start - self._request.overlap)
        missing = Coverage.of(report.windows).missing(Window(start, FOREVER))
        if missing:
            self._again = Reading(self._client, self._table, missing, self._executor, report.tally)
            self._again.begin()
            report.windows = Coverage.of((*report.windows, *missing)).windows
            yield from self._again.pages()

    def _read(self) -> Iterator[Batch | None]:
        whole: list[Any] = []
        for page in self._pages():
            if page is None:
                yield None
                continue
            if not self._report.pages:
                self._availability.answers()
                yield from self._declare()
            self._report.pages += 1
            if self._deletions is not None and self._table.name == "payments":
                self._deletions.vanished.see(page)
            if self._table.listing == "whole":
                records = self._batcher.decode(page)
                mark_variant(records, page.variant)
                whole += records
            else:
                yield from self._batcher.add(page)
        if not self._report.pages:
            yield from self._declare()
        for page in self._repointed():
            yield from self._batcher.add(page)
        if self._deletions is not None and self._table.name == "payments":
            self._deletions.vanished.settle()
        kept = one_per_id(whole)
        yield from self._batcher.take(
            [row for row in kept if lies_in(self._reading.windows, row.updated_at)]
        )

    def _repointed(self) -> Iterator[Page]:
        """Records that a merge gave to another customer, perhaps without a new `updated_at`."""
        wanted = (Window(self._request.start_date, FOREVER),)
        for customer in self._dataset.survivors(self._table.name):
            for column in customer_columns(self._table):
                for page in read_related(
                    self._client, self._table, column, customer, self._report.tally
                ):
                    self._report.pages += 1
                    yield page.without(
                        position
                        for position, stamp in enumerate(page.stamps)
                        if not lies_in(wanted, stamp.second)
                    )

    def _ask_again(self) -> Iterator[Batch]:
        """Asks for records that were rejected before and did not come along with the windows."""
        due = self._rejects.due()
        fetch = partial(pages_of, self._client, self._table, tally=self._report.tally)
        for pages in self._executor.map(fetch, due):
            found: list[Any] = []
            for page in pages:
                records = self._batcher.decode(page)
                mark_variant(records, page.variant)
                found += records
            yield from self._batcher.take(
                one_per_id(found) if self._table.listing == "whole" else found
            )
        self._rejects.meet(self._batcher.rejects)
        self._rejects.leave(due)

    def _declare(self) -> Iterator[Batch]:
        """Has the table created, or widened, with all its columns.

        Not before the API has answered: a wrong key or host shall leave nothing behind, and not
        take the dataset from the right one.
        """
        self._dataset.claim(self._request)
        columns = _column_names(self._table)
        if self._dataset.columns(self._table.name) != columns:
            self._dataset.set_columns(self._table.name, columns)
            yield from self._batcher.empty()
            yield Batch(REJECTED, Rejects(self._table.name, ()).rows(self._request.run_id))

    def _keep(self) -> Iterator[Batch]:
        """Rows of `_rejected`, and the ids to ask for at the next run."""
        self._report.rejected = len(self._rejects.met)
        if self._rejects.has_news:
            self._dataset.set_rejected(self._report.table, self._rejects.remembered())
            yield Batch(REJECTED, self._rejects.rows(self._request.run_id))

    def _look_up_replaced(self) -> None:
        """Asks which partitions rows leave, while the warehouse still has them as they were."""
        if self._replaced is None or self._report.mode == "full" or self._report.error:
            return
        ids = [] if self._is_new else self._ids
        self._report.replaced_days = self._replaced.days(self._table, ids)

    def _note_gaps(self, *, is_whole: bool) -> None:
        """What rows were loaded without stays a gap until the whole table is read with it."""
        report, now = self._report, unloaded(self._table)
        report.gaps = now if is_whole else self._dataset.gaps(report.table)
        if report.rows:
            report.gaps |= now
        if report.gaps != self._dataset.gaps(report.table):
            self._dataset.set_gaps(report.table, report.gaps)

    def _count(self, batch: Batch) -> None:
        if not batch.record_count:
            return
        self._report.rows += batch.record_count
        if len(self._ids) <= MOST_IDS:
            self._ids += batch.rows[self._table.primary_key].to_pylist()
        self._report.count_periods(batch.rows[self._table.replication_key], self._request.cadence)
        if self._rejects.has_known:
            self._rejects.fit(batch.rows[self._table.primary_key].to_pylist())
        logger.debug(
            "%s: %s",
            self._table.name,
            counted(self._report.rows, "row"),
            extra={"report": self._report},
        )

    def _announce(self, new_fields: list[str]) -> None:
        report = self._report
        if new_fields:
            logger.warning(
                "%s: Invoiced sends fields that no column is declared for: %s. They are kept in "
                "_extra; this is said once",
                report.table,
                ", ".join(new_fields),
            )
        if report.error or report.alarm:
            message = report.error or report.alarm
            logger.error("%s: %s", report.table, message, extra={"report": report})
            return
        if report.unavailable:
            return  # said once for all such tables, at the end of the run
        if report.rejected:
            logger.warning(
                "%s: %s no column, kept in _rejected and asked for at every sync",
                report.table,
                counted(report.rejected, "record fits", "records fit"),
            )
        logger.info(
            "%s: %s in %.1f s, %s",
            report.table,
            counted(report.rows, "row"),
            report.seconds,
            counted(report.tally.requests, "request"),
            extra={"report": report},
        )


def _column_names(table: Table) -> list[str]:
    """Names that tell whether a table's declaration has changed since it was created."""
    own = [column.name for column in parent_columns(table)]
    children = [
        f"{child.array}.{column.name}"
        for child in table.children
        for column in child_columns(table, child)
    ]
    return own + children + [f"{REJECTED}.{column.name}" for column in REJECTED_COLUMNS]
