"""The pages of a table's windows, and the coverage that reading them gives."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from invoiced_pipeline.invoiced.reading.pages import LAG, Page
from invoiced_pipeline.invoiced.reading.table_reader import TableReader
from invoiced_pipeline.replication.partial_visit import PartialVisit
from invoiced_pipeline.replication.server_clock import WRONG_CLOCK, doubtful_window, record_clock
from invoiced_pipeline.replication.table.table_context import TableContext
from invoiced_pipeline.windows import FOREVER, Coverage, Window, to_epoch

logger = logging.getLogger(__name__)


class CoveredPages:
    """Reads a table's windows, and again what was covered under a wrong server clock.

    Args:
        context: The table; `windows` of its report grows by what is read again.
        reader: Reads the windows; it has begun.
    """

    def __init__(self, context: TableContext, reader: TableReader) -> None:
        self._context = context
        self._readers = [reader]
        self._doubtful: Window | None = None
        self._reached: int | None = None

    def pages(self) -> Iterator[Page | None]:
        """Yields the pages; None while no page has arrived. Iterate it once."""
        (reader,) = self._readers
        context = self._context
        for page in reader.pages():
            if page is not None and page.reached is not None:
                self._reached = page.reached
            yield page
        warnings = (context.report.warning, reader.warning)
        context.report.warning = " ".join(filter(None, warnings)) or None
        self._doubtful = doubtful_window(
            context.report.coverage_before.until,
            context.dataset.clock(context.table.name),
            clock=reader.clock,
            now=datetime.now(UTC),
            earliest=context.run.request.start_date,
        )
        if self._doubtful is not None:
            yield from self._read_again(self._doubtful)

    def _read_again(self, doubtful: Window) -> Iterator[Page | None]:
        report, run = self._context.report, self._context.run
        logger.warning("%s: %s", report.table, WRONG_CLOCK)
        report.warning = " ".join(filter(None, (report.warning, WRONG_CLOCK)))
        if report.mode == "window":
            return  # the next sync reads what is no longer covered
        start = max(run.request.start_date, doubtful.start - run.request.overlap)
        missing = Coverage.of(report.windows).missing(Window(start, FOREVER))
        if missing:
            table = self._context.table
            visits = run.request.visits(table, Coverage(), None, {})
            if table.parent is not None and len(missing) == 1:
                visits = replace(visits, since=missing[0].start)
            reader = TableReader(
                run.client, table, missing, run.executor, report.tally, visits=visits
            )
            self._readers.append(reader)
            reader.begin()
            report.windows = Coverage.of((*report.windows, *missing)).windows
            yield from reader.pages()

    @property
    def expected_parents(self) -> int | None:
        """How many parents are asked; None if that is not known, or if there are none."""
        return self._readers[0].expected_parents

    def note_partial_visit(self) -> None:
        """Notes how far a first read of all parents got, so that the next run goes on there."""
        report, dataset = self._context.report, self._context.dataset
        clock = self._readers[0].parents_clock
        is_first = report.mode == "sync" and report.coverage_before.until is None
        if not is_first or self._reached is None or clock is None:
            return
        start, at = to_epoch(report.windows[0].start), to_epoch(clock - LAG)
        dataset.set_partial_visit(report.table, PartialVisit(start, at, self._reached))

    def note_coverage(self) -> None:
        """Notes in report and dataset what is covered now; call it after `pages` has ended."""
        report, dataset = self._context.report, self._context.dataset
        name = self._context.table.name
        report.covered = tuple(each for reader in self._readers for each in reader.covered())
        known = report.coverage_before
        if self._doubtful is not None:
            known = known.remove(self._doubtful)
        report.coverage = known.add(*report.covered)
        expired = self._context.run.request.expired(self._context.table)
        if expired is not None:
            report.coverage = report.coverage.remove(expired)
        dataset.set_coverage(name, report.coverage)
        dataset.set_partial_visit(name, None)
        clock = self._readers[0].clock
        if clock is not None and report.coverage.until != report.coverage_before.until:
            seen = (reader.newest for reader in self._readers)
            newest = max((each for each in seen if each is not None), default=None)
            before = dataset.clock(name)
            record = record_clock(before, clock=clock, now=datetime.now(UTC), newest=newest)
            dataset.set_clock(name, record)
