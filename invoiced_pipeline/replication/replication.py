"""One run's replication: reads all tables side by side and hands Arrow batches to dlt."""

import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.exceptions import FeatureNotEnabledError, InvoicedPipelineError
from invoiced_pipeline.invoiced.client import InvoicedClient
from invoiced_pipeline.invoiced.pages import Page
from invoiced_pipeline.invoiced.reading import Reading, lies_in
from invoiced_pipeline.invoiced.related import read_related
from invoiced_pipeline.invoiced.single import pages_of
from invoiced_pipeline.replication.batches import Batch, Batcher
from invoiced_pipeline.replication.columns import child_columns, parent_columns
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.deletion_feed import DeletionFeed
from invoiced_pipeline.replication.deletions import customer_columns
from invoiced_pipeline.replication.plans import mark_variant, one_per_id
from invoiced_pipeline.replication.rejects import REJECTED, REJECTED_COLUMNS, Rejects, judge
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.warehouse.marks import Marks
from invoiced_pipeline.windows import FOREVER, Coverage, Window

logger = logging.getLogger(__name__)

_SWITCH_SECONDS = 0.0005
"""How long the thread that types records may keep those waiting that have an answer to take.

With Python's 5 ms, a dozen requests in flight spend longer waiting for it than for the API: 65 s
became 52 s for 300,000 records (measured, 100 ms latency, two cores).
"""


class Replication:
    """Reads what a request asks for; `reports` tells what came of it, table by table.

    Attributes:
        request: What is asked for.
        reports: Counts of every table.
        coverages: What the dataset covers of every table, those not asked for included.

    Args:
        client: Where to read.
        request: What to read.
        marks: Where deletions are noted; None leaves them alone.
    """

    def __init__(
        self, client: InvoicedClient, request: ReplicationRequest, marks: Marks | None = None
    ) -> None:
        self.request = request
        self.reports = {
            table.name: TableReport(table.name, request.mode) for table in request.tables
        }
        self.coverages: dict[str, Coverage] = {}
        self._client = client
        self._executor = ThreadPoolExecutor(client.limit.capacity, thread_name_prefix="invoiced")
        self._switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._readings: dict[str, Reading] = {}
        self.deletions = (
            DeletionFeed(client, request, marks, self._executor, self._count_deleted)
            if marks is not None
            else None
        )

    def close(self) -> None:
        """Ends the reading: requests that wait for another try give up, those under way finish."""
        self._client.close()
        self._executor.shutdown(cancel_futures=True)
        sys.setswitchinterval(self._switch_interval)

    def batches(self, table: Table, state: MutableMapping[str, Any]) -> Iterator[Batch | None]:
        """Yields one table's batches and notes its coverage at the end.

        None says that nothing has arrived yet: dlt then turns to the next table.

        An error of one table must not stop the others, and dlt would abort the whole extract: it
        is kept in the table's report. What was read until then is loaded; the coverage stays.

        Raises:
            DatasetMismatchError: The dataset is not this connection's: nothing may be loaded.
        """
        dataset = DatasetState(state)
        self._begin(dataset)
        report = self.reports[table.name]
        batcher = Batcher(table, is_new=dataset.columns(table.name) is None)
        rejects = Rejects(table.name, dataset.rejected(table.name))
        began, report.started_at = time.monotonic(), datetime.now(UTC)
        try:
            for batch in self._read_and_ask_again(table, batcher, dataset, rejects):
                if batch is not None:
                    self._count(batch, table, rejects)
                yield batch
            report.covered = self._readings[table.name].covered()
            report.coverage = report.coverage_before.add(*report.covered)
            dataset.set_coverage(table.name, report.coverage)
            dataset.forget_survivors(table.name)
        except FeatureNotEnabledError as error:
            report.error = str(error)
            yield from self._declare(batcher, dataset)  # queries over all tables work, empty or not
        except InvoicedPipelineError as error:
            report.error = str(error)
        except Exception as error:  # one table must not cost the others
            logger.exception("%s: unexpected error", table.name)
            report.error = f"{type(error).__name__}: {error}"
        for batch in batcher.flush():  # what was read before an error
            self._count(batch, table, rejects)
            yield batch
        rejects.meet(batcher.rejects)
        yield from self._keep(rejects, dataset, report)
        report.typing_seconds = batcher.seconds
        report.seconds, report.finished_at = time.monotonic() - began, datetime.now(UTC)
        self._announce(report, dataset.announce_fields(table.name, batcher.unknown_fields))

    def _begin(self, dataset: DatasetState) -> None:
        """Starts reading all tables, the first time any of them is asked for."""
        if self._readings:
            return
        dataset.check_owner(self.request)
        self.coverages = dataset.coverages()
        if self.deletions is not None:
            self.deletions.begin(dataset)
        for table in self.request.tables:
            report = self.reports[table.name]
            report.coverage_before = report.coverage = dataset.coverage(table.name)
            report.windows = self.request.windows(report.coverage)
            report.warning = self.deletions.warning if self.deletions is not None else None
            reading = Reading(self._client, table, report.windows, self._executor, report.tally)
            self._readings[table.name] = reading
        for reading in self._readings.values():
            reading.begin()

    def _read_and_ask_again(
        self, table: Table, batcher: Batcher, dataset: DatasetState, rejects: Rejects
    ) -> Iterator[Batch | None]:
        """The windows' records, then those rejected before, which may fit by now.

        Raises:
            InvoicedPipelineError: More was rejected than can be asked for again.
        """
        report = self.reports[table.name]
        yield from self._read(table, batcher, dataset)
        rejects.meet(batcher.rejects)
        rejects.forget_nameless()
        refused = judge(rejects, report.rows, self.request.reject_share)
        report.alarm = refused.alarm
        yield from self._ask_again(table, batcher, rejects)
        if refused.error:
            raise InvoicedPipelineError(refused.error)

    def _read(
        self, table: Table, batcher: Batcher, dataset: DatasetState
    ) -> Iterator[Batch | None]:
        reading, report = self._readings[table.name], self.reports[table.name]
        whole: list[Any] = []
        for page in reading.pages():
            if page is None:
                yield None
                continue
            if not report.pages:
                yield from self._declare(batcher, dataset)
            report.pages += 1
            if self.deletions is not None and table.name == "payments":
                self.deletions.see_payments(page)
            if table.listing == "whole":
                records = batcher.decode(page)
                mark_variant(records, page.variant)
                whole += records
            else:
                yield from batcher.add(page)
        if not report.pages:
            yield from self._declare(batcher, dataset)
        for page in self._repointed(table, dataset):
            yield from batcher.add(page)
        if self.deletions is not None and table.name == "payments":
            self.deletions.settle_payments()
        kept = one_per_id(whole)
        yield from batcher.take([row for row in kept if lies_in(reading.windows, row.updated_at)])

    def _repointed(self, table: Table, dataset: DatasetState) -> Iterator[Page]:
        """Records that a merge gave to another customer, perhaps without a new `updated_at`."""
        report = self.reports[table.name]
        wanted = (Window(self.request.start_date, FOREVER),)
        for customer in dataset.survivors(table.name):
            for column in customer_columns(table):
                for page in read_related(self._client, table, column, customer, report.tally):
                    report.pages += 1
                    yield page.without(
                        position
                        for position, stamp in enumerate(page.stamps)
                        if not lies_in(wanted, stamp.second)
                    )

    def _ask_again(self, table: Table, batcher: Batcher, rejects: Rejects) -> Iterator[Batch]:
        """Asks for records that were rejected before and did not come along with the windows."""
        due = rejects.due()
        fetch = partial(pages_of, self._client, table, tally=self.reports[table.name].tally)
        for pages in self._executor.map(fetch, due):
            found: list[Any] = []
            for page in pages:
                records = batcher.decode(page)
                mark_variant(records, page.variant)
                found += records
            yield from batcher.take(one_per_id(found) if table.listing == "whole" else found)
        rejects.meet(batcher.rejects)
        rejects.leave(due)

    def _declare(self, batcher: Batcher, dataset: DatasetState) -> Iterator[Batch]:
        """Has the table created, or widened, with all its columns.

        Not before the API has answered: a wrong key or host shall leave nothing behind, and not
        take the dataset from the right one.
        """
        dataset.claim(self.request)
        columns = _column_names(batcher.table)
        if dataset.columns(batcher.table.name) != columns:
            dataset.set_columns(batcher.table.name, columns)
            yield from batcher.empty()
            yield Batch(REJECTED, Rejects(batcher.table.name, ()).rows(self.request.run_id))

    def _keep(
        self, rejects: Rejects, dataset: DatasetState, report: TableReport
    ) -> Iterator[Batch]:
        """Rows of `_rejected`, and the ids to ask for at the next run."""
        report.rejected = len(rejects.met)
        if rejects.has_news:
            dataset.set_rejected(report.table, rejects.remembered())
            yield Batch(REJECTED, rejects.rows(self.request.run_id))

    def _count(self, batch: Batch, table: Table, rejects: Rejects) -> None:
        if not batch.record_count:
            return
        report = self.reports[table.name]
        report.rows += batch.record_count
        report.count_periods(batch.rows[table.replication_key], self.request.cadence)
        if rejects.has_known:
            rejects.fit(batch.rows[table.primary_key].to_pylist())
        logger.debug("%s: %d rows", table.name, report.rows, extra={"report": report})

    def _count_deleted(self, counts: Counter[str]) -> None:
        for name, rows in counts.items():
            if name in self.reports:
                self.reports[name].deleted += rows
            logger.info("%s: %d rows are gone", name, rows)

    def _announce(self, report: TableReport, new_fields: list[str]) -> None:
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
        if report.rejected:
            logger.warning(
                "%s: %d records fit no column; they are in _rejected and asked for at every sync",
                report.table,
                report.rejected,
            )
        logger.info(
            "%s: %d rows in %.1f s, %d requests",
            report.table,
            report.rows,
            report.seconds,
            report.tally.requests,
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
