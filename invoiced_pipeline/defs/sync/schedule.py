"""Schedules: at which ticks a connection's sync starts, and at which it is left out."""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.names import asset_key, sync_job_name
from invoiced_pipeline.defs.runs.dead_runs import is_over, living_runs
from invoiced_pipeline.defs.scheduled_start import cron_schedule
from invoiced_pipeline.defs.sync.run_config import range_tags, sync_config
from invoiced_pipeline.scheduling.schedule import connection_schedule
from invoiced_pipeline.settings import ConnectionSettings, Settings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.open import open_database

_WHEN_BUSY = {"skip": "a start is left out", "wait": "a start waits for its end"}


def sync_schedule(
    settings: Settings,
    connection: ConnectionSettings,
    tables: Sequence[Table],
    partitions: dg.PartitionsDefinition,
) -> dg.ScheduleDefinition:
    """The schedule of a connection's sync job; it is off until it is turned on.

    A tick asks Dagster's records and the writer's lock, never the warehouse.

    Args:
        settings: Where the warehouse is.
        connection: Whose schedule.
        tables: What it replicates.
        partitions: The grid of its assets.

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
        sync_job_name(connection.dataset),
        start,
        description=f"While the last sync runs: {busy}.",
    )


def _request(
    instance: dg.DagsterInstance,
    connection: ConnectionSettings,
    tables: Sequence[Table],
    partitions: dg.PartitionsDefinition,
) -> dg.RunRequest:
    keys = [asset_key(connection.dataset, table) for table in tables]
    overlap = timedelta(minutes=connection.overlap_minutes)
    return dg.RunRequest(
        # It waits in any case: another run may take the lock before this one begins.
        run_config=sync_config(connection.dataset, "sync", when_busy="wait"),
        tags=range_tags(partitions, instance, keys, overlap, "sync"),
    )


def _reason_to_skip(
    instance: dg.DagsterInstance, database: Database, connection: ConnectionSettings
) -> str | None:
    """Why a start is left out; None when it is not.

    One job at a time, by the lock and not by what Dagster believes of runs: the lock died with its
    process, also when the whole service was killed. A run that writes for another connection is
    waited for. One run waits at a time: it will read whatever a second one would.
    """
    holder = database.current_holder(connection.dataset)
    if holder is None:
        return None
    run = instance.get_run_by_id(holder.run_id)
    # A run that these records do not know may be one of this connection.
    is_own = run is None or is_over(run, connection.dataset)
    if is_own and connection.schedule.when_busy == "skip":
        return f"the last sync has not ended: {holder} writes {database.label}"
    waiting = [
        each for each in living_runs(instance, connection.dataset, holder) if each != holder.run_id
    ]
    if waiting:
        return f"run {waiting[0]} already waits for {holder}, which writes {database.label}"
    return None
