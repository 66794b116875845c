"""`invoiced-pipeline status`: the state of every table, also while a run writes."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import typer

from invoiced_pipeline.commands.common.console import console, errors, say
from invoiced_pipeline.commands.common.grid import Grid
from invoiced_pipeline.commands.common.options import ConnectionsOption, JsonOption
from invoiced_pipeline.commands.common.places import settings_place
from invoiced_pipeline.defs.launch.instance import open_instance
from invoiced_pipeline.defs.status import ConnectionStatus, connection_status
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


def status(connection: ConnectionsOption = None, as_json: JsonOption = False) -> None:
    """Shows the state of connections and tables; exits with 1 if a table failed."""
    settings = load_settings()
    found = _statuses(settings, connection)
    warehouse = open_database(settings.warehouse).label
    if as_json:
        place = {"settings_file": settings.file and str(settings.file), "warehouse": warehouse}
        shown = [asdict(each) | place for each in found]
        typer.echo(json.dumps(shown, default=datetime.isoformat))
    else:
        typer.echo(f"Settings: {settings_place(settings)}\nWarehouse: {warehouse}")
        for each in found:
            _show(each)
    if any(table.state == "failed" for each in found for table in each.tables):
        raise typer.Exit(1)


def _statuses(settings: Settings, name: str | None) -> list[ConnectionStatus]:
    chosen = settings.connection if name is None else [settings.find(name)]
    with open_instance(settings) as instance:
        now = datetime.now(UTC)
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


def _schedule_words(status: ConnectionStatus) -> str:
    if status.next_start is None:
        return "No more starts."
    next_start = f"{_minute(status.next_start)} UTC"
    if status.schedule_on:
        return f"The next start is at {next_start}."
    return f"The schedule is off; if you turn it on, the next start is at {next_start}."


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}"
