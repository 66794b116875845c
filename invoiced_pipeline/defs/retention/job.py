"""The daily job that deletes old runs; it exists only if `keep_runs_days` is set."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from invoiced_pipeline.defs.names import old_runs_job_name, prefixed, schedule_name
from invoiced_pipeline.defs.retention.old_runs import delete_old_runs
from invoiced_pipeline.settings import Settings

_DAILY = "47 3 * * *"
"""03:47 UTC: not on the hour, when syncs run."""


def old_runs_definitions(settings: Settings) -> dg.Definitions:
    """Returns the job `delete_old_runs` and its schedule; nothing without `keep_runs_days`."""
    days, name = settings.dagster.keep_runs_days, old_runs_job_name(settings.first)
    if days is None:
        return dg.Definitions()

    @dg.op(
        name=prefixed(settings.first, "delete_runs"),
        description=f"Deletes runs that ended more than {days} days ago.",
    )
    def delete(context: dg.OpExecutionContext) -> None:
        before = datetime.now(UTC) - timedelta(days=days)
        count = delete_old_runs(context.instance, settings, before)
        context.log.info("Deleted %s runs that ended more than %s days ago", count, days)

    @dg.job(
        name=name,
        executor_def=dg.in_process_executor,
        description=f"Deletes runs that ended more than {days} days ago from Dagster's history. "
        "Runs in progress, and runs with the newest event of a table, partition or check, stay.",
    )
    def job() -> None:
        delete()

    schedule = dg.ScheduleDefinition(
        name=schedule_name(name),
        job=job,
        cron_schedule=_DAILY,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every day at 03:47 UTC.",
    )
    return dg.Definitions(jobs=[job], schedules=[schedule])
