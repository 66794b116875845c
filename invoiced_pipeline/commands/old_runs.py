"""`invoiced-pipeline delete-old-runs`: for those who start syncs with cron, without a daemon."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import load_settings


def delete_old_runs(
    days: Annotated[
        int | None,
        typer.Option(min=1, help="Runs that ended longer ago; keep_runs_days by default."),
    ] = None,
) -> None:
    """Delete old runs from Dagster's records; the newest events of every table stay."""
    settings = load_settings()
    days = days or settings.dagster.keep_runs_days
    if days is None:
        message = (
            "All runs are kept: name a number of days with --days, or set keep_runs_days in "
            f"[dagster] of {settings.source}"
        )
        raise ConfigurationError(message)
    from invoiced_pipeline.defs.launch.launch import open_instance
    from invoiced_pipeline.defs.retention import old_runs
    from invoiced_pipeline.terminal import console

    before = datetime.now(UTC) - timedelta(days=days)
    with open_instance(settings) as instance:
        count = old_runs.delete_old_runs(instance, settings, before)
    runs = "1 run" if count == 1 else f"{count:,} runs"
    console.print(f"Deleted {runs} that ended more than {days} days ago.", highlight=False)
