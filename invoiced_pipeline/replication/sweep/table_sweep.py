"""The sweep: compares the ids that the API lists with the warehouse's rows, table by table.

It finds what no event told of and no window shows: deletions whose event was lost, transactions
that vanished, what a merge moved, and records without `updated_at`, which it brings. It notes no
coverage.
"""

import logging
import time
from collections.abc import Callable, Iterator, MutableMapping, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from invoiced_pipeline.catalog import TABLES, Table
from invoiced_pipeline.exceptions import InvoicedPipelineError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.identifiers import (
    Identifiers,
    list_identifiers,
    missing_records,
    read_records,
)
from invoiced_pipeline.invoiced.reading.table_reading import lies_in
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.availability import NO_TABLE, is_any_readable, lacks
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.decode.batches import Batch, Batcher
from invoiced_pipeline.replication.decode.plan_versions import mark_variant, one_per_id
from invoiced_pipeline.replication.deletions.consequences import customer_columns
from invoiced_pipeline.replication.failure_list import cause_of
from invoiced_pipeline.replication.rejects import REJECTED, Rejects
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.warehouse.deletion_marks import KnownIds, Mark, Marks
from invoiced_pipeline.windows import FOREVER, Coverage, Window

logger = logging.getLogger(__name__)

ALWAYS_ALLOWED = 100
"""Rows that a sweep may mark in a table however small it is."""


@dataclass(slots=True)
class SweepReport:
    """What a sweep did to one table.

    Attributes:
        table: Its name.
        listed: Ids that the API lists.
        rows: Rows of the warehouse that were not marked before.
        deleted: Rows that were marked, or removed.
        brought: Records loaded now, which the warehouse lacked, or had under a lost customer.
        tally: Requests, retries and waiting.
        started_at: When that began (UTC); None when it was never begun.
        seconds: How long it took to compare.
        coverage: What the dataset covers of the table, which a sweep does not change.
        error: Why the table was left alone, or not completed; None when it is complete.
        unavailable: What the API says of a table that the account does not have; else None.
        cause: The error in the words that other tables share; None where it is the table's own.
    """

    table: str
    listed: int = 0
    rows: int = 0
    deleted: int = 0
    brought: int = 0
    tally: Tally = field(default_factory=Tally)
    started_at: datetime | None = None
    seconds: float = 0.0
    coverage: Coverage = field(default_factory=Coverage)
    error: str | None = None
    unavailable: str | None = None
    cause: str | None = None


class Sweep:
    """One sweep over some tables; a source that can be loaded for what the warehouse lacks.

    Args:
        client: Where to read.
        request: Which tables, and the start date.
        dataset: What the dataset remembers.
        marks: The warehouse's rows, and where deletions are noted.
        max_share: The largest share of a table's rows that may be marked.
    """

    def __init__(
        self,
        client: InvoicedClient,
        request: ReplicationRequest,
        dataset: DatasetState,
        marks: Marks,
        *,
        max_share: float,
    ) -> None:
        self.request = request
        self.reports = {
            table.name: SweepReport(table.name, coverage=dataset.coverage(table.name))
            for table in request.tables
        }
        self._client = client
        self._dataset = dataset
        self._marks = marks
        self._max_share = max_share
        self._lacking: dict[str, set[Any]] = {}
        self._listed: dict[str, Identifiers] = {}
        self._gone_customers: list[Any] = []

    def run(self, load: Callable[["Sweep"], None]) -> dict[str, SweepReport]:
        """Compares all tables, marks what is gone, and has `load` bring what is lacking."""
        with ThreadPoolExecutor(
            self._client.limit.capacity, thread_name_prefix="invoiced"
        ) as executor:
            for table in self.request.tables:
                report = self.reports[table.name]
                began, report.started_at = time.monotonic(), datetime.now(UTC)
                try:
                    self._compare(table, report, executor)
                except InvoicedPipelineError as error:
                    _note(report, table, error)
                report.seconds = time.monotonic() - began
                _announce(report)
        self._judge_key()
        if self._lacking:
            load(self)
        return self.reports

    def batches(self, table: Table, state: MutableMapping[str, Any]) -> Iterator[Batch]:
        """Yields the records of one table that the warehouse lacks; called by the load.

        Raises:
            DatasetMismatchError: The dataset is not this connection's.
        """
        dataset = DatasetState(state)
        dataset.check_owner(self.request)
        report, batcher = self.reports[table.name], Batcher(table, privacy=self.request.privacy)
        try:
            for batch in self._bring(table, batcher, report.tally):
                report.brought += batch.record_count
                yield batch
        except InvoicedPipelineError as error:
            _note(report, table, error)
        rejects = Rejects(table.name, dataset.rejected(table.name))
        rejects.meet(batcher.rejects)
        if rejects.has_news:
            fit = counted(len(rejects.met), "record fits", "records fit")
            logger.warning("%s: %s no column", table.name, fit)
            dataset.set_rejected(table.name, rejects.remembered())
            yield Batch(REJECTED, rejects.rows(self.request.run_id))

    @property
    def unavailable(self) -> dict[str, str]:
        """What the API says of the tables that the account does not have, by table."""
        reports = self.reports.items()
        return {name: report.unavailable for name, report in reports if report.unavailable}

    def _judge_key(self) -> None:
        """Takes a key that can read no table of the connection for the wrong one."""
        if len(self.unavailable) < len(self.reports):
            return
        others = [each for each in TABLES if each.name in self.request.selected - set(self.reports)]
        if is_any_readable(self._client, others):
            return
        for report in self.reports.values():
            report.error = NO_TABLE.format(words=report.unavailable)
            report.cause, report.unavailable = NO_TABLE.format(words=report.cause), None

    def _compare(self, table: Table, report: SweepReport, executor: ThreadPoolExecutor) -> None:
        # The rows first: what is created while the ids are listed is no row yet.
        known = self._marks.known_ids(table.name)
        report.rows = len(known.present)
        listed = list_identifiers(self._client, table, executor, report.tally)
        report.listed = len(listed.seconds)
        self._note_lacking(table, self._wanted(table, known, listed), listed)
        unlisted = known.present - listed.seconds.keys()
        if unlisted and not self._marks.are_ignored:
            self._mark(table, report, executor, unlisted=unlisted, listed=listed)
        self._note_lacking(table, self._moved(table, listed), listed)

    def _note_lacking(self, table: Table, records: set[Any], listed: Identifiers) -> None:
        if records:
            self._lacking.setdefault(table.name, set()).update(records)
            self._listed[table.name] = listed

    def _mark(
        self,
        table: Table,
        report: SweepReport,
        executor: ThreadPoolExecutor,
        *,
        unlisted: Set[Any],
        listed: Identifiers,
    ) -> None:
        self._check_share(table, len(unlisted), report.rows)
        # Asked for once more: a list may miss what another request shows.
        gone = missing_records(self._client, table, unlisted, executor, report.tally)
        at = listed.server_time or datetime.now(UTC)
        marks = [
            Mark(table.name, table.primary_key, record, at, is_certain=True) for record in gone
        ]
        report.deleted = self._marks.apply(marks)[table.name]
        if table.name == "customers":
            self._gone_customers = list(gone)

    def _moved(self, table: Table, listed: Identifiers) -> set[Any]:
        """Ids of rows that still name a customer found to be gone, although the record is there.

        A merge whose event was lost; it moves no `updated_at` (observed). Customers come first.
        """
        return {
            record
            for column in customer_columns(table)
            for record, _ in self._marks.present(table.name, column, self._gone_customers)
            if record in listed.seconds
        }

    def _wanted(self, table: Table, known: KnownIds, listed: Identifiers) -> set[Any]:
        """Ids of records to bring: those that the warehouse should hold and does not.

        That is what its coverage claims, from the start date on, and what no window can show. A
        marked row's record is there again, whatever its date. What is newer is the next sync's, and
        so are records that fit no column: it asks for them again.
        """
        rejected = {key for key, _ in self._dataset.rejected(table.name)}
        wanted = Window(self.request.start_date, FOREVER)
        covered = self._dataset.coverage(table.name).windows
        windows = tuple(window.intersect(wanted) for window in covered)
        return {
            record
            for record, second in listed.seconds.items()
            if record not in known.present
            and str(record) not in rejected
            and (record in known.gone or lies_in(windows, second))
        }

    def _check_share(self, table: Table, unlisted: int, rows: int) -> None:
        allowed = max(ALWAYS_ALLOWED, int(self._max_share * rows))
        if unlisted <= allowed:
            return
        share = unlisted / rows
        some = f"{unlisted:,} of {counted(rows, 'row')}"
        message = (
            f"the API does not list {some} of {table.name} ({share:.0%}), "
            f"which is more than the {self._max_share:.0%} that a sweep may mark: none was. Is it "
            "the right account, and may the key see all records? If they are gone indeed: "
            f"invoiced-pipeline sweep --select {table.name} --allow-share {_above(share)}"
        )
        raise InvoicedPipelineError(message)

    def _bring(self, table: Table, batcher: Batcher, tally: Tally) -> Iterator[Batch]:
        wanted = self._lacking.get(table.name, set())
        listed = self._listed.get(table.name, Identifiers())
        whole: list[Any] = []
        for page in read_records(self._client, table, wanted, listed, tally):
            if table.listing == "whole":
                records = batcher.decode(page)
                mark_variant(records, page.variant)
                whole += records
            else:
                yield from batcher.add(page)
        yield from batcher.take(one_per_id(whole))


def _above(share: float) -> float:
    """The share as a person would allow it: rounded up to a tenth."""
    return min(1.0, int(share * 10 + 1) / 10)


def _note(report: SweepReport, table: Table, error: InvoicedPipelineError) -> None:
    report.cause = cause_of(error)
    if lacks(table, error):
        report.unavailable = str(error)
    else:
        report.error = str(error)


def _announce(report: SweepReport) -> None:
    if report.unavailable:
        return  # said once for all such tables, at the end
    if report.error:
        logger.error("%s: %s", report.table, report.error)
        return
    logger.info(
        "%s: %d listed, %s, %d gone",
        report.table,
        report.listed,
        counted(report.rows, "row"),
        report.deleted,
    )
