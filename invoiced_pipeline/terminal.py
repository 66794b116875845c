"""How the commands speak: progress while tables are read, tables of results, plain problems."""

import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO, Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    Progress,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from invoiced_pipeline.commands.amounts import amount_text
from invoiced_pipeline.commands.tables import Grid
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.warehouse.dataset import RowTotals
from invoiced_pipeline.warehouse.sample_queries import Answer

_NO_LIMIT = 100_000
"""Columns of a pipe or a file: nothing is wrapped there, and a table's row is one line."""


def _console(stream: IO[str], **options: Any) -> Console:
    is_wide = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(width=_NO_LIMIT if is_wide else None, **options)


console = _console(sys.stdout)
errors = _console(sys.stderr, stderr=True)


def say(to: Console, text: str, style: str | None = None) -> None:
    """Prints text that may hold anything, in one line: logs are searched for it."""
    to.print(text, style=style, highlight=False, markup=False, soft_wrap=True)


class _Mark(SpinnerColumn):
    """A spinner that ends in a tick, or in a cross where the table is not complete."""

    def __init__(self) -> None:
        super().__init__(finished_text="[green]✓")

    def render(self, task: Task) -> Any:
        """Draws it."""
        return Text("✗", style="red") if task.fields.get("failed") else super().render(task)


class _ProgressHandler(logging.Handler):
    """Turns the replication's log records into progress lines, and its warnings into text."""

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


@contextmanager
def _copy_of_stderr() -> Iterator[Console]:
    """A console on a file descriptor of its own.

    While a step runs, Dagster lets the original lead to a file: that is no terminal, so that rich
    would neither redraw its display nor print above it.
    """
    try:
        descriptor = os.dup(sys.stderr.fileno())
    except (AttributeError, OSError):  # no stderr, or another object in its place
        yield errors
        return
    with open(descriptor, "w", encoding=sys.stderr.encoding, errors="replace") as stream:  # noqa: PTH123 - not a path
        yield _console(stream, file=stream)


@contextmanager
def reading_progress(title: str) -> Iterator[None]:
    """Shows how far every table is, while the block runs."""
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
            progress.remove_task(task)  # what remains says which tables are complete
            logger.removeHandler(handler)
            logger.setLevel(before[0])
            logger.propagate = before[1]


def show_sync(
    tables: Mapping[str, Mapping[str, Any]], totals: Mapping[str, RowTotals] | None = None
) -> None:
    """What arrived, table by table.

    Args:
        tables: Metadata of every complete table.
        totals: Rows of the warehouse; that column is left out where they are not known.
    """
    known = totals or {}
    has_deletions = any(metadata["deleted_rows"] for metadata in tables.values())
    grid = new_grid("What arrived", optional=("partitions", "requests", "seconds"))
    grid.add_column("table", no_wrap=True)
    headings = ["loaded"]
    headings += ["deleted"] if has_deletions else []
    headings += ["in total"] if known else []
    for heading in (*headings, "partitions", "requests", "seconds"):
        grid.add_column(heading, justify="right")
    for name, metadata in tables.items():
        cells = [f"{metadata['rows_loaded']:,}"]
        cells += [f"{metadata['deleted_rows']:,}"] if has_deletions else []
        cells += [f"{known[name].rows:,}"] if known else []
        grid.add_row(
            name,
            *cells,
            str(len(metadata.get("rows_by_partition", {}))),
            f"{metadata['requests']:,}",
            f"{metadata['seconds']:.1f}",
        )
    console.print(grid)
    if note := _deleted_note(known):
        say(console, note)
    until = [metadata.get("covered_until") for metadata in tables.values()]
    ends = [instant for instant in until if instant is not None]
    if ends and len(ends) == len(until):
        instant = datetime.fromtimestamp(min(ends), UTC)
        console.print(f"Complete up to {instant:%Y-%m-%d %H:%M:%S} UTC.", highlight=False)


def _deleted_note(totals: Mapping[str, RowTotals]) -> str | None:
    """Why there are more rows in total than Invoiced has records; None where there are not."""
    deleted = {name: total.deleted for name, total in totals.items() if total.deleted}
    if not deleted:
        return None
    where = ", ".join(f"{count:,} of {name}" for name, count in deleted.items())
    return f"In total includes rows of records deleted in Invoiced (_deleted_at is set): {where}."


def show_sweep(tables: dict[str, dict[str, Any]]) -> None:
    """What a sweep found, table by table."""
    if not tables:
        return
    grid = new_grid("Compared with the API", optional=("requests", "seconds"))
    grid.add_column("table", no_wrap=True)
    for heading in ("rows", "listed", "gone", "brought", "requests", "seconds"):
        grid.add_column(heading, justify="right")
    for name, metadata in tables.items():
        counts = ("rows", "listed", "deleted_rows", "rows_loaded", "requests")
        seconds = f"{metadata['seconds']:.1f}"
        grid.add_row(name, *(f"{metadata[count]:,}" for count in counts), seconds)
    console.print(grid)


def show_answer(answer: Answer) -> None:
    """One question's result."""
    grid = new_grid(answer.title)
    for column in answer.columns:
        grid.add_column(column, justify="left" if column in _WORDS else "right")
    money = answer.columns.index("currency") if "currency" in answer.columns else None
    for row in answer.rows:
        currency = None if money is None else str(row[money])
        grid.add_row(*(escape(_text(value, currency)) for value in row))
    console.print(grid)


def show_schedule(words: str, starts: Sequence[datetime], zone: ZoneInfo) -> None:
    """A schedule in words, and its next starts in UTC and on the clock of its own time zone.

    Args:
        words: What it means.
        starts: Aware instants.
        zone: Of the schedule; where it is UTC, this computer's is shown beside it.
    """
    is_utc = zone.key == "UTC"
    say(console, words, style="bold")
    grid = new_grid("The next starts")
    grid.add_column("UTC", no_wrap=True)
    grid.add_column("this computer's time" if is_utc else zone.key, no_wrap=True)
    for start in starts:
        local = start.astimezone(None if is_utc else zone)
        grid.add_row(f"{start:%a %Y-%m-%d %H:%M}", f"{local:%a %Y-%m-%d %H:%M %Z}")
    if starts:
        console.print(grid)
    else:
        console.print("There is no start any more.")


def new_grid(title: str, *, optional: Sequence[str] = ()) -> Grid:
    """A table in the style of all commands: see `Grid`."""
    return Grid(title, optional=optional)


_WORDS = {"customer", "email", "invoice", "currency", "status"}
"""Columns of answers that hold no numbers."""


def _text(value: Any, currency: str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return amount_text(value, currency)
    return f"{value:,}" if isinstance(value, int) else str(value)
