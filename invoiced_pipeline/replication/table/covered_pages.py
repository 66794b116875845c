"""The pages of a table's windows, and the coverage that reading them gives."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from invoiced_pipeline.invoiced.reading.pages import LAG, Page
from invoiced_pipeline.invoiced.reading.table_reader import TableReader
from invoiced_pipeline.replication.partial_read import PartialRead
from invoiced_pipeline.replication.partial_visit import PartialVisit
from invoiced_pipeline.replication.server_clock import WRONG_CLOCK, doubtful_window, record_clock
from invoiced_pipeline.replication.table.table_context import TableContext
from invoiced_pipeline.windows import FOREVER, Coverage, Window, from_epoch, to_epoch

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

    def pause(self) -> bool:
        """Requests no more pages; returns True once the next package can begin with the rest.

        Only a first read has several packages: it finds no rows that it would have to compare.
        """
        return self._is_first and self._readers[0].pause()

    def resume(self) -> None:
        """Requests pages again."""
        self._readers[0].resume()

    def note_partial(self) -> None:
        """Notes how far a first read got, so that the next run can go on there.

        Call it once the pages read so far are handed to the load.
        """
        if self._is_first and self._context.table.listing == "windowed":
            self._note_partial_read()
        elif self._is_first and self._context.table.parent is not None:
            self._note_partial_visit()

    @property
    def _is_first(self) -> bool:
        report = self._context.report
        return report.mode == "sync" and report.coverage_before.until is None

    def _note_partial_read(self) -> None:
        """Notes the windows that are read, up to the time since which records may have changed."""
        report, dataset, (reader,) = self._context.report, self._context.dataset, self._readers
        if reader.clock is None or report.started_at is None:
            return
        # The earlier of both clocks: a server's clock that is ahead would claim later changes.
        until = min(reader.clock, report.started_at) - LAG - self._context.run.request.overlap
        at = from_epoch(to_epoch(until))
        read = Coverage.of(report.windows)
        for window in (*reader.unread(), Window(at, FOREVER)):
            read = read.remove(window)
        known = dataset.partial_read(report.table)
        dataset.set_partial_read(report.table, PartialRead(at, read).add(known))

    def _note_partial_visit(self) -> None:
        report, dataset = self._context.report, self._context.dataset
        clock = self._readers[0].parents_clock
        if self._reached is None or clock is None:
            return
        start, at = to_epoch(report.windows[0].start), to_epoch(clock - LAG)
        dataset.set_partial_visit(report.table, PartialVisit(start, at, self._reached))

    def note_coverage(self) -> None:
        """Notes in report and dataset what is covered now; call it after `pages` has ended."""
        report, dataset = self._context.report, self._context.dataset
        name = self._context.table.name
        covered = [each for reader in self._readers for each in reader.covered()]
        partial = dataset.partial_read(name)
        if partial is not None and report.mode == "sync":
            covered += partial.coverage.windows
        report.covered = Coverage.of(covered).windows
        known = report.coverage_before
        if self._doubtful is not None:
            known = known.remove(self._doubtful)
        report.coverage = known.add(*report.covered)
        expired = self._context.run.request.expired(self._context.table)
        if expired is not None:
            report.coverage = report.coverage.remove(expired)
        dataset.set_coverage(name, report.coverage)
        dataset.set_partial_visit(name, None)
        if report.mode != "window":
            dataset.set_partial_read(name, None)
        clock = self._readers[0].clock
        if clock is not None and report.coverage.until != report.coverage_before.until:
            seen = (reader.newest for reader in self._readers)
            newest = max((each for each in seen if each is not None), default=None)
            before = dataset.clock(name)
            record = record_clock(before, clock=clock, now=datetime.now(UTC), newest=newest)
            dataset.set_clock(name, record)
