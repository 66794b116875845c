"""`invoiced-pipeline schedule`: when syncs start, by the settings or by others."""

import json
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from invoiced_pipeline.commands.options import ConnectionOption
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import ScheduleSettings, load_settings

if TYPE_CHECKING:
    from invoiced_pipeline.scheduling.schedule import Schedule


def schedule(  # noqa: PLR0913, PLR0917 - one parameter per option
    cron: Annotated[str | None, typer.Option(help="Another cron expression.")] = None,
    dialect: Annotated[str | None, typer.Option(help="Its dialect: quartz or unix.")] = None,
    anchor: Annotated[str | None, typer.Option(help="Another anchor, such as 03:30.")] = None,
    frequency: Annotated[str | None, typer.Option(help="Another frequency, such as 6h.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Another time zone.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="ISO instant to count from; now by default.")
    ] = None,
    connection: ConnectionOption = None,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many starts.")] = 10,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a list of instants in UTC, for scripts.")
    ] = False,
) -> None:
    """Show when syncs start, in words and as the next starts; nothing is changed."""
    rules = {"cron": cron, "dialect": dialect, "anchor": anchor, "frequency": frequency}
    chosen = _chosen(
        {key: text for key, text in rules.items() if text is not None}, timezone, connection
    )
    starts = list(islice(chosen.starts_after(_instant(since)), count))
    if as_json:
        typer.echo(json.dumps([start.isoformat() for start in starts]))
        return
    from invoiced_pipeline.terminal import show_schedule

    show_schedule(chosen.describe(), starts, chosen.zone)


def _chosen(rules: dict[str, str], timezone: str | None, name: str | None) -> "Schedule":
    """A connection's schedule; any rule given takes the place of all of its rules."""
    from invoiced_pipeline.scheduling.schedule import Schedule, connection_schedule

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
            f"--from: {text!r} is no instant of 1970 to 2099. Accepted forms: ISO such as "
            "2025-01-31T08:00:00Z; without offset it is UTC"
        )
        raise ConfigurationError(message)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
