"""Schedules of sync and write-back jobs: the ticks that start a run, and those that do not."""

from collections.abc import Callable
from datetime import UTC

import dagster as dg

from invoiced_pipeline.defs.names import schedule_name
from invoiced_pipeline.scheduling.schedule import Schedule

NO_START = "no start at"
"""Begins the skip reason of a tick that is no start of the schedule; such ticks are not logged."""


def cron_schedule(
    schedule: Schedule,
    job: str,
    start: Callable[[dg.DagsterInstance], dg.RunRequest | dg.SkipReason],
    *,
    description: str,
) -> dg.ScheduleDefinition:
    """Makes the schedule of a job; it is off until somebody turns it on.

    A tick reads Dagster's run history and the writer's lock, never the warehouse.

    Args:
        schedule: When runs start. Cron expressions that cannot say it exactly tick more often, and
            the other ticks are skipped.
        job: Name of the job.
        start: Requests the run of a start, or says why it is skipped.
        description: What the UI shows after the times.
    """
    exact = schedule.as_unix_crons()
    crons = exact or schedule.ticks()

    @dg.schedule(
        name=schedule_name(job),
        job_name=job,
        cron_schedule=crons[0] if len(crons) == 1 else crons,
        execution_timezone=schedule.zone.key if exact else "UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=f"{schedule.describe()}. {description}",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        at = context.scheduled_execution_time.astimezone(UTC)
        if exact is None and not schedule.is_start(at):
            return dg.SkipReason(f"{NO_START} {at:%H:%M} UTC")
        return start(context.instance)

    return tick
