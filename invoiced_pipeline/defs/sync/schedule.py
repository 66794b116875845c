"""The schedule of a connection's sync: at which ticks it starts, and at which it is skipped."""

from collections.abc import Sequence

import dagster as dg

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.names import sync_job_name
from invoiced_pipeline.defs.runs.dead_runs import is_over, living_runs, waiting_runs
from invoiced_pipeline.defs.scheduled_start import cron_schedule
from invoiced_pipeline.defs.sync.partition_range import range_tags
from invoiced_pipeline.defs.sync.run_config import sync_config
from invoiced_pipeline.scheduling.schedule import connection_schedule
from invoiced_pipeline.settings import ConnectionSettings, Settings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.open import open_database

_WHEN_BUSY = {"skip": "starts are skipped", "wait": "the next start waits"}


def sync_schedule(
    settings: Settings,
    connection: ConnectionSettings,
    tables: Sequence[Table],
    partitions: dg.PartitionsDefinition,
) -> dg.ScheduleDefinition:
    """Returns the schedule of a connection's sync job; it is off by default.

    A tick reads Dagster's run history and the writer's lock, and never opens the warehouse.

    Args:
        settings: They name the warehouse.
        connection: Its settings hold the schedule.
        tables: The tables that the connection selects.
        partitions: The partitions of every table.

    Raises:
        ConfigurationError: The cron expression is wrong.
    """
    busy = _WHEN_BUSY[connection.schedule.when_busy]

    def start(instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
        reason = _reason_to_skip(instance, open_database(settings.warehouse), connection)
        if reason is not None:
            return dg.SkipReason(reason)
        return _request(instance, connection, tables, partitions)

    return cron_schedule(
        connection_schedule(settings, connection),
        sync_job_name(connection),
        start,
        description=f"While a sync runs, {busy}.",
    )


def _request(
    instance: dg.DagsterInstance,
    connection: ConnectionSettings,
    tables: Sequence[Table],
    partitions: dg.PartitionsDefinition,
) -> dg.RunRequest:
    names = [table.name for table in tables]
    return dg.RunRequest(
        # It waits even with `skip`: another run may take the lock before this one begins.
        run_config=sync_config(connection, "sync", when_busy="wait"),
        tags=range_tags(partitions, instance, connection, names, "sync"),
    )


def _reason_to_skip(
    instance: dg.DagsterInstance, database: Database, connection: ConnectionSettings
) -> str | None:
    """Returns why a start is skipped; None if it is not.

    The lock decides, not the states of runs in Dagster: it is released when its process dies, also
    if the whole service is killed. A start waits for runs of other connections. Only one run waits
    at a time, in the queue or for the lock, because it will read all that a second one would.
    """
    lock = database.lock_state(connection.dataset)
    holder = lock.holder
    if holder is None:
        waiting = waiting_runs(instance, connection.dataset, lock)
        return f"run {waiting[0]} has not started yet" if waiting else None
    run = instance.get_run_by_id(holder.run_id)
    # A run that is not in this history may be one of this connection.
    is_own = run is None or is_over(run, connection.dataset)
    if is_own and connection.schedule.when_busy == "skip":
        return f"the last sync has not ended: {holder} writes {database.label}"
    waiting = [
        each for each in living_runs(instance, connection.dataset, lock) if each != holder.run_id
    ]
    if waiting:
        return f"run {waiting[0]} already waits for {holder}, which writes {database.label}"
    return None
