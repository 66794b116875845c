"""`invoiced-pipeline status`: how connections and tables are, also while a run writes."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from invoiced_pipeline.commands.options import ConnectionsOption, JsonOption
from invoiced_pipeline.settings import load_settings

if TYPE_CHECKING:
    from invoiced_pipeline.defs.status import ConnectionStatus

_STATES = {"ok": "green", "failed": "red", "running": "cyan", "pending": "dim"}


def status(connection: ConnectionsOption = None, as_json: JsonOption = False) -> None:
    """Show how every table is, and when its next sync starts; fails where a table did."""
    found = _statuses(connection)
    if as_json:
        told = [asdict(each) for each in found]
        typer.echo(json.dumps(told, default=datetime.isoformat))
    else:
        for each in found:
            _show(each)
    if any(table.state == "failed" for each in found for table in each.tables):
        raise typer.Exit(1)


def _statuses(name: str | None) -> "list[ConnectionStatus]":
    settings = load_settings()
    chosen = settings.connection if name is None else [settings.find(name)]
    from invoiced_pipeline.defs.launch import open_instance
    from invoiced_pipeline.defs.status import connection_status

    with open_instance(settings) as instance:
        now = datetime.now(UTC)
        return [connection_status(instance, settings, each, now) for each in chosen]


def _show(status: "ConnectionStatus") -> None:
    from invoiced_pipeline.terminal import console, errors, new_grid, say

    is_on = "on" if status.schedule_on else "off until it is turned on"
    say(console, f"{status.connection}, in the dataset {status.dataset}", style="bold")
    start = f"; next start {status.next_start:%Y-%m-%d %H:%M} UTC" if status.next_start else ""
    say(
        console, f"{status.schedule}. The schedule is {is_on}{start if status.schedule_on else ''}."
    )
    grid = new_grid("")
    grid.add_column("table", no_wrap=True)
    grid.add_column("state")
    grid.add_column("rows", justify="right")
    for heading in ("complete since", "complete up to", "last start", "last end"):
        grid.add_column(heading, no_wrap=True)
    for table in status.tables:
        gaps = " (gaps)" if (table.windows or 1) > 1 else ""
        grid.add_row(
            table.table,
            f"[{_STATES[table.state]}]{table.state}",
            "" if table.rows is None else f"{table.rows:,}",
            _minute(table.covered_since) + gaps,
            *map(_minute, (table.covered_until, table.started_at, table.ended_at)),
        )
    console.print(grid)
    for error in dict.fromkeys(table.error for table in status.tables if table.error):
        say(errors, error, style="red")


def _minute(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant:%Y-%m-%d %H:%M}"
