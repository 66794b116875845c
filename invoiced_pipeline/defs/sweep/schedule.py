"""The sweep's schedule: weekly, and on by default."""

import dagster as dg

from invoiced_pipeline.defs.names import schedule_name, sweep_op_name
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.defs.sweep.job import SweepConfig

WEEKLY = "23 4 * * 0"
"""Sundays at 04:23 UTC: not on the hour, when syncs run."""

_TRIES = 30
"""A try a minute: the sweep waits half an hour for a sync."""


def sweep_schedule(dataset: ReplicatedDataset, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Returns the schedule that runs the sweep once a week, waiting while a sync runs.

    It is on by default, because only the sweep finds records that were deleted without an event. A
    tick reads Dagster's run history and never opens the warehouse.

    Args:
        dataset: The tables that the job compares.
        job: The sweep.
    """
    keys = [dataset.asset_key(table) for table in dataset.tables]
    config = SweepConfig(tries=_TRIES)

    @dg.schedule(
        name=schedule_name(job.name),
        job_name=job.name,
        cron_schedule=WEEKLY,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Sundays at 04:23 UTC, once something is loaded. It waits while a sync runs.",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        latest = context.instance.get_latest_materialization_event
        if not any(latest(key) for key in keys):
            return dg.SkipReason("nothing is loaded yet")
        return dg.RunRequest(
            run_config=dg.RunConfig(ops={sweep_op_name(dataset.connection): config})
        )

    return tick
