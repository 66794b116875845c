"""Schedule and sensor of a write-back: it is pushed at set times, or after every sync."""

from typing import Any

import dagster as dg

from invoiced_pipeline.defs.names import writeback_op_name
from invoiced_pipeline.defs.runs.dead_runs import living_job_runs
from invoiced_pipeline.defs.scheduled_start import cron_schedule
from invoiced_pipeline.defs.writeback.config import WritebackConfig
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.scheduling.schedule import Schedule
from invoiced_pipeline.settings import ScheduleSettings, Settings, WritebackSettings
from invoiced_pipeline.warehouse.open import open_database


def writeback_schedule(
    settings: Settings, writeback: WritebackSettings, job: dg.JobDefinition
) -> dg.ScheduleDefinition | None:
    """Makes the schedule `writeback_<name>_schedule`; None where the settings have none.

    Raises:
        ConfigurationError: The cron expression is wrong.
    """
    if writeback.schedule is None:
        return None

    def start(instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
        return _request_or_reason(instance, settings, writeback, job.name)

    return cron_schedule(
        _schedule(settings, writeback, writeback.schedule),
        job.name,
        start,
        description="No second push starts while one is running.",
    )


def after_sync_sensor(
    settings: Settings, writeback: WritebackSettings, job: dg.JobDefinition, sync: Any
) -> dg.SensorDefinition | None:
    """Makes the sensor that pushes after every successful sync; None without `after_sync`.

    It is off until somebody turns it on.
    """
    if not writeback.after_sync:
        return None

    @dg.run_status_sensor(
        name=f"{job.name}_after_sync",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[sync],
        request_job=job,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"Pushes {writeback.name} after every sync that succeeds.",
    )
    def sensor(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        return _request_or_reason(
            context.instance, settings, writeback, job.name, run_key=context.dagster_run.run_id
        )

    return sensor


def _schedule(
    settings: Settings, writeback: WritebackSettings, schedule: ScheduleSettings
) -> Schedule:
    try:
        return Schedule.from_settings(schedule)
    except ConfigurationError as error:
        message = f"{settings.source}: writeback {writeback.name!r}: schedule.{error}"
        raise ConfigurationError(message) from error


def _request_or_reason(
    instance: dg.DagsterInstance,
    settings: Settings,
    writeback: WritebackSettings,
    job: str,
    *,
    run_key: str | None = None,
) -> dg.RunRequest | dg.SkipReason:
    if not writeback.active:
        return dg.SkipReason(f"{writeback.name} is not active: set active = true to have it sent")
    connection = settings.find(writeback.connection)
    lock = open_database(settings.warehouse).lock_state(connection.dataset)
    living = living_job_runs(instance, job, lock)
    if living:
        return dg.SkipReason(f"run {living[0]} of {job} has not ended")
    # The run waits for the lock: a sync may be writing.
    config = WritebackConfig(dry_run=False, wait=True)
    run_config = dg.RunConfig(ops={writeback_op_name(connection, writeback.name): config})
    return dg.RunRequest(run_key=run_key, run_config=run_config)
