"""The pages of a table's windows, and the coverage that reading them gives."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.reading.pages import Page
from invoiced_pipeline.invoiced.reading.table_reader import TableReader
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.server_clock import WRONG_CLOCK, doubtful_window, record_clock
from invoiced_pipeline.replication.table.run_context import RunContext
from invoiced_pipeline.windows import FOREVER, Coverage, Window

logger = logging.getLogger(__name__)


class CoveredPages:
    """Reads a table's windows, and again what was covered under a wrong server clock.

    Args:
        table: What to read.
        reader: Reads the windows; it has begun.
        context: The run.
        dataset: What the dataset remembers.
        report: The table's report; `windows` grows by what is read again.
    """

    def __init__(
        self,
        table: Table,
        reader: TableReader,
        context: RunContext,
        dataset: DatasetState,
        report: TableReport,
    ) -> None:
        self._table = table
        self._context = context
        self._dataset = dataset
        self._report = report
        self._readers = [reader]
        self._doubtful: Window | None = None

    def pages(self) -> Iterator[Page | None]:
        """Yields the pages; None while no page has arrived. Iterate it once."""
        (reader,) = self._readers
        yield from reader.pages()
        self._doubtful = doubtful_window(
            self._report.coverage_before.until,
            self._dataset.clock(self._table.name),
            clock=reader.clock,
            now=datetime.now(UTC),
            earliest=self._context.request.start_date,
        )
        if self._doubtful is not None:
            yield from self._read_again(self._doubtful)

    def _read_again(self, doubtful: Window) -> Iterator[Page | None]:
        report, request = self._report, self._context.request
        logger.warning("%s: %s", report.table, WRONG_CLOCK)
        report.warning = " ".join(filter(None, (report.warning, WRONG_CLOCK)))
        if report.mode == "window":
            return  # the next sync reads what is no longer covered
        start = max(request.start_date, doubtful.start - request.overlap)
        missing = Coverage.of(report.windows).missing(Window(start, FOREVER))
        if missing:
            client, executor = self._context.client, self._context.executor
            reader = TableReader(client, self._table, missing, executor, report.tally)
            self._readers.append(reader)
            reader.begin()
            report.windows = Coverage.of((*report.windows, *missing)).windows
            yield from reader.pages()

    def note_coverage(self) -> None:
        """Notes in report and dataset what is covered now; call it after `pages` has ended."""
        report, name = self._report, self._table.name
        report.covered = tuple(each for reader in self._readers for each in reader.covered())
        known = report.coverage_before
        if self._doubtful is not None:
            known = known.remove(self._doubtful)
        report.coverage = known.add(*report.covered)
        self._dataset.set_coverage(name, report.coverage)
        clock = self._readers[0].clock
        if clock is not None and report.coverage.until != report.coverage_before.until:
            seen = (reader.newest for reader in self._readers)
            newest = max((each for each in seen if each is not None), default=None)
            before = self._dataset.clock(name)
            record = record_clock(before, clock=clock, now=datetime.now(UTC), newest=newest)
            self._dataset.set_clock(name, record)
