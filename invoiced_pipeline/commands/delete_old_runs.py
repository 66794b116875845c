"""`invoiced-pipeline delete-old-runs`: for syncs started by cron, without Dagster's daemon."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from invoiced_pipeline.commands.common.console import console
from invoiced_pipeline.defs.launch.instance import open_instance
from invoiced_pipeline.defs.retention import old_runs
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.settings import load_settings


def delete_old_runs(
    days: Annotated[
        int | None,
        typer.Option(
            min=1, help="Delete runs that ended longer ago than this; keep_runs_days by default."
        ),
    ] = None,
) -> None:
    """Deletes old runs and prints how many."""
    settings = load_settings()
    days = days or settings.dagster.keep_runs_days
    if days is None:
        message = (
            "All runs are kept: name a number of days with --days, or set keep_runs_days in "
            f"[dagster] of {settings.source}"
        )
        raise ConfigurationError(message)
    before = datetime.now(UTC) - timedelta(days=days)
    with open_instance(settings) as instance:
        count = old_runs.delete_old_runs(instance, settings, before)
    runs = counted(count, "run")
    console.print(f"Deleted {runs} that ended more than {days} days ago.", highlight=False)
