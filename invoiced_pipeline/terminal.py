"""How the commands speak: progress while tables are read, tables of results, plain problems."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.warehouse.answers import Answer

console = Console()
errors = Console(stderr=True)


def say(to: Console, text: str, style: str | None = None) -> None:
    """Prints text that may hold anything, in one line: logs are searched for it."""
    to.print(text, style=style, highlight=False, markup=False, soft_wrap=True)


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
            self._progress.update(task, rows=f"{report.rows:,} rows, {report.pages:,} pages")
            if report.error:
                self._progress.update(task, rows="[red]not complete")
            elif record.levelno >= logging.INFO:
                self._progress.update(task, total=1, completed=1)
        elif record.levelno >= logging.WARNING:
            say(self._progress.console, record.getMessage(), style="yellow")


@contextmanager
def reading_progress(title: str) -> Iterator[None]:
    """Shows how far every table is, while the block runs."""
    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description:<28}"),
        TextColumn("{task.fields[rows]}"),
        TimeElapsedColumn(),
    )
    logger = logging.getLogger("invoiced_pipeline")
    before = logger.level, logger.propagate
    with Progress(*columns, console=errors) as progress:
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


def show_sync(tables: dict[str, dict[str, Any]]) -> None:
    """What arrived, table by table."""
    grid = new_grid("What arrived")
    grid.add_column("table", no_wrap=True)
    for heading in ("loaded", "in total", "partitions", "requests", "seconds"):
        grid.add_column(heading, justify="right")
    for name, metadata in tables.items():
        grid.add_row(
            name,
            f"{metadata['rows_loaded']:,}",
            f"{metadata['dagster/row_count']:,}",
            str(len(metadata.get("rows_by_partition", {}))),
            f"{metadata['requests']:,}",
            f"{metadata['seconds']:.1f}",
        )
    console.print(grid)
    until = [metadata.get("covered_until") for metadata in tables.values()]
    known = [instant for instant in until if instant is not None]
    if known and len(known) == len(until):
        instant = datetime.fromtimestamp(min(known), UTC)
        console.print(f"Complete up to {instant:%Y-%m-%d %H:%M:%S} UTC.", highlight=False)


def show_sweep(tables: dict[str, dict[str, Any]]) -> None:
    """What a sweep found, table by table."""
    if not tables:
        return
    grid = new_grid("Compared with the API")
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
        grid.add_column(column, justify="left" if column in {"customer", "currency"} else "right")
    for row in answer.rows:
        grid.add_row(*map(_text, row))
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


def new_grid(title: str) -> Table:
    """A table in the style of all commands, with its title."""
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
