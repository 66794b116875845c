"""Progress lines while a run reads tables."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from invoiced_pipeline.catalog import table
from invoiced_pipeline.commands.common.console import console_on, errors, say
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.settings import Settings


class _Mark(SpinnerColumn):
    """A spinner that ends as a tick, or as a cross if the table is not complete."""

    def __init__(self) -> None:
        super().__init__(finished_text="[green]✓")

    def render(self, task: Task) -> Any:
        """Returns the mark of a table."""
        return Text("✗", style="red") if task.fields.get("failed") else super().render(task)


class _ProgressHandler(logging.Handler):
    """Turns the replication's log records into progress lines, and prints its warnings."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.DEBUG)
        self._progress = progress
        self._tasks: dict[str, Any] = {}

    def emit(self, record: logging.LogRecord) -> None:
        report = getattr(record, "report", None)
        if isinstance(report, TableReport):
            task = self._tasks.get(report.table)
            if task is None:
                task = self._tasks[report.table] = self._progress.add_task(report.table, rows="")
            rows = f"{counted(report.rows, 'row')}, {counted(report.pages, 'page')}"
            rows += _asked(report)
            self._progress.update(task, rows=rows)
            if report.error:
                self._progress.update(
                    task, rows="[red]not complete", failed=True, total=1, completed=1
                )
            elif record.levelno >= logging.INFO:
                self._progress.update(task, total=1, completed=1)
        elif record.levelno >= logging.WARNING:
            text = " ".join(record.getMessage().split())
            say(self._progress.console, text, style="yellow")


def _asked(report: TableReport) -> str:
    """Returns how many customers or invoices were asked, if a table is listed per parent."""
    parent = table(report.table).parent
    if parent is None or report.expected_parents is None:
        return ""
    return (
        f", {report.parents:,} of {counted(report.expected_parents, table(parent.table).singular)}"
    )


@contextmanager
def _copy_of_stderr() -> Iterator[Console]:
    """Yields a console on a copy of stderr's file descriptor.

    While a step runs, Dagster points the original at a file. A file is no terminal, so rich would
    neither redraw its display nor print above it.
    """
    try:
        descriptor = os.dup(sys.stderr.fileno())
    except (AttributeError, OSError):  # no stderr, or another object in its place
        yield errors
        return
    with open(descriptor, "w", encoding=sys.stderr.encoding, errors="replace") as stream:  # noqa: PTH123 - not a path
        yield console_on(stream, file=stream)


@contextmanager
def reading_progress(settings: Settings, title: str) -> Iterator[None]:
    """Shows the progress of every table while the block runs, unless log lines are JSON.

    Args:
        settings: They set the format of log lines.
        title: What the first line says until the first table begins.
    """
    if settings.logs.format == "json":
        yield
        return
    columns = (
        _Mark(),
        TextColumn("{task.description:<28}"),
        TextColumn("{task.fields[rows]}"),
        TimeElapsedColumn(),
    )
    logger = logging.getLogger("invoiced_pipeline")
    before = logger.level, logger.propagate
    with _copy_of_stderr() as screen, Progress(*columns, console=screen) as progress:
        task = progress.add_task(title, total=1, rows="")
        handler = _ProgressHandler(progress)
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        try:
            yield
        finally:
            progress.remove_task(task)  # the tables' lines stay
            logger.removeHandler(handler)
            logger.setLevel(before[0])
            logger.propagate = before[1]
