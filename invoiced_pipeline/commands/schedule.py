"""`invoiced-pipeline schedule`: when syncs start, by the settings or by options."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer
from pydantic import ValidationError

from invoiced_pipeline.commands.common.console import console, say
from invoiced_pipeline.commands.common.grid import Grid
from invoiced_pipeline.commands.common.options import ConnectionOption
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.scheduling.schedule import Schedule, connection_schedule
from invoiced_pipeline.settings import ScheduleSettings, load_settings


def schedule(  # noqa: PLR0913, PLR0917 - one parameter per option
    cron: Annotated[
        str | None, typer.Option(help="A cron expression instead of the settings'.")
    ] = None,
    dialect: Annotated[str | None, typer.Option(help="Dialect of --cron: quartz or unix.")] = None,
    anchor: Annotated[
        str | None, typer.Option(help="An anchor instead of the settings', such as 03:30.")
    ] = None,
    frequency: Annotated[
        str | None, typer.Option(help="A frequency instead of the settings', such as 6h.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="A time zone instead of the settings'.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", help="Show starts after this ISO instant; now by default."),
    ] = None,
    connection: ConnectionOption = None,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many starts to show.")] = 10,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the starts as a JSON array in UTC, for scripts.")
    ] = False,
) -> None:
    """Shows a connection's schedule, or another one given by options."""
    rules = {"cron": cron, "dialect": dialect, "anchor": anchor, "frequency": frequency}
    chosen = _chosen(
        {key: text for key, text in rules.items() if text is not None}, timezone, connection
    )
    starts = list(islice(chosen.starts_after(_instant(since)), count))
    if as_json:
        typer.echo(json.dumps([start.isoformat() for start in starts]))
        return
    _show(chosen, starts)


def _show(schedule: Schedule, starts: Sequence[datetime]) -> None:
    """Prints a schedule in words, and its next starts in UTC and in its own time zone.

    Args:
        schedule: If its time zone is UTC, this computer's is shown instead.
        starts: Aware instants.
    """
    zone = schedule.zone
    is_utc = zone.key == "UTC"
    say(console, schedule.describe(), style="bold")
    if not starts:
        console.print("No more starts.")
        return
    grid = Grid("The next starts")
    grid.add_column("UTC", no_wrap=True)
    grid.add_column("this computer's time" if is_utc else zone.key, no_wrap=True)
    for start in starts:
        local = start.astimezone(None if is_utc else zone)
        grid.add_row(f"{start:%a %Y-%m-%d %H:%M}", f"{local:%a %Y-%m-%d %H:%M %Z}")
    console.print(grid)


def _chosen(rules: dict[str, str], timezone: str | None, name: str | None) -> Schedule:
    """Returns a connection's schedule; if a rule is given, none of the settings' rules count."""
    settings = load_settings()
    connection = settings.find(name)
    known = connection.schedule
    if not rules and timezone is None:
        return connection_schedule(settings, connection)
    others = {} if rules else known.model_dump(exclude={"timezone"})
    try:
        wanted = ScheduleSettings.model_validate(
            {**others, **rules, "timezone": timezone or known.timezone}
        )
        return Schedule.from_settings(wanted)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        lines = [
            "".join(f"--{key}: " for key in fault["loc"])
            + fault["msg"].removeprefix("Value error, ")
            for fault in faults
        ]
    except ConfigurationError as error:
        lines = [f"--{error}"]
    raise ConfigurationError("\n".join(lines))


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or not 1970 <= instant.year < 2100:
        message = (
            f"--from: {text!r} is not an instant from 1970 to 2099. Accepted forms: ISO such as "
            "2025-01-31T08:00:00Z; without an offset it is UTC"
        )
        raise ConfigurationError(message)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
