"""`invoiced-pipeline status`: the state of every table, also while a run writes."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from invoiced_pipeline.commands.common.console import console, errors, say
from invoiced_pipeline.commands.common.grid import Grid
from invoiced_pipeline.commands.common.options import ConnectionsOption, JsonOption
from invoiced_pipeline.commands.common.places import settings_place
from invoiced_pipeline.commands.common.prometheus import as_text, exposition, write_exposition
from invoiced_pipeline.defs.launch.instance import open_instance
from invoiced_pipeline.defs.status import ConnectionStatus, WritebackStatus, connection_status
from invoiced_pipeline.replication.availability import reasons
from invoiced_pipeline.settings import Settings, load_settings
from invoiced_pipeline.warehouse.open import open_database

_STATES = {
    "ok": "green",
    "unavailable": "yellow",
    "failed": "red",
    "running": "cyan",
    "pending": "dim",
}


class Format(StrEnum):
    """How the state is printed."""

    TEXT = "text"
    JSON = "json"
    PROMETHEUS = "prometheus"


FormatOption = Annotated[
    Format, typer.Option("--format", help="Print text, JSON or Prometheus metrics.")
]

OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        help="With --format prometheus: replace this file, such as one of node_exporter's textfile "
        "collector, instead of printing.",
    ),
]


def status(
    connection: ConnectionsOption = None,
    as_json: JsonOption = False,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Shows the state of connections; exits with 1 if a table or write-back needs a person."""
    form = Format.JSON if as_json else form
    if output is not None and form is not Format.PROMETHEUS:
        raise typer.BadParameter("it needs --format prometheus", param_hint="--output")
    settings = load_settings()
    now = datetime.now(UTC)
    found = _statuses(settings, connection, now)
    if form is Format.PROMETHEUS:
        metrics = exposition(found, now)
        if output is None:
            typer.echo(as_text(metrics), nl=False)
        else:
            write_exposition(metrics, output)
    elif form is Format.JSON:
        warehouse = open_database(settings.warehouse).label
        place = {"settings_file": settings.file and str(settings.file), "warehouse": warehouse}
        shown = [asdict(each) | place for each in found]
        typer.echo(json.dumps(shown, default=datetime.isoformat))
    else:
        warehouse = open_database(settings.warehouse).label
        typer.echo(f"Settings: {settings_place(settings)}\nWarehouse: {warehouse}")
        for each in found:
            _show(each)
    if not all(each.is_well for each in found):
        raise typer.Exit(1)


def _statuses(settings: Settings, name: str | None, now: datetime) -> list[ConnectionStatus]:
    chosen = settings.connection if name is None else [settings.find(name)]
    with open_instance(settings) as instance:
        return [connection_status(instance, settings, each, now) for each in chosen]


def _show(status: ConnectionStatus) -> None:
    say(console, f"{status.connection}, in the dataset {status.dataset}", style="bold")
    say(console, f"{status.schedule}. {_schedule_words(status)}")
    if status.last_start:
        say(console, f"Last start {_minute(status.last_start)} UTC.")
    grid = Grid("", optional=("complete since",))
    grid.add_column("table", no_wrap=True)
    grid.add_column("state", no_wrap=True)
    grid.add_column("rows", justify="right")
    grid.add_column("complete since", no_wrap=True)
    grid.add_column("up to", no_wrap=True)
    for table in status.tables:
        since = f"{table.covered_since:%Y-%m-%d}" if table.covered_since else ""
        grid.add_row(
            table.table,
            f"[{_STATES[table.state]}]{table.state}",
            "" if table.rows is None else f"{table.rows:,}",
            since + (" (gaps)" if (table.windows or 1) > 1 else ""),
            _minute(table.covered_until) if table.covered_until else "",
        )
    console.print(grid)
    unavailable = {each.table: each.unavailable for each in status.tables if each.unavailable}
    for words in reasons(unavailable):
        say(console, f"Not available: {words}", style="yellow")
    for error in dict.fromkeys(table.error for table in status.tables if table.error):
        say(errors, error, style="red")
    if stale := [each.table for each in status.tables if each.is_stale]:
        say(errors, f"{_stale_words(status)}: {', '.join(stale)}", style="red")
    for writeback in status.writebacks:
        _show_writeback(writeback)


def _stale_words(status: ConnectionStatus) -> str:
    advice = "look whether the daemon runs" if status.schedule_on else "turn the schedule on"
    hours = f"{status.stale_after_hours:g} hours"
    return f"Stale ({advice}, or run a sync), not synced for more than {hours}"


def _show_writeback(status: WritebackStatus) -> None:
    """Prints a write-back that failed, or whose last run left rows waiting."""
    rows = ", ".join(f"{count:,} {state}" for state, count in status.waiting.items())
    about = f"invoiced-pipeline writeback status {status.writeback}"
    if status.error:
        say(errors, f"Write-back {status.writeback}: {status.error}", style="red")
    elif rows:
        say(console, f"Write-back {status.writeback}: rows waiting: {rows}. See {about}")


def _schedule_words(status: ConnectionStatus) -> str:
    if status.next_start is None:
        return "No more starts."
    next_start = f"{_minute(status.next_start)} UTC"
    if status.schedule_on:
        return f"The next start is at {next_start}."
    return f"The schedule is off; if you turn it on, the next start is at {next_start}."


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}"
