"""Builds the definitions from the settings, without an API key, a network or a warehouse."""

from collections.abc import Sequence

import dagster as dg

from invoiced_pipeline.defs.alerts.sensor import alerts_sensor
from invoiced_pipeline.defs.connection_keys import ConnectionKeys, warehouse_key
from invoiced_pipeline.defs.events.sensor import events_sensor
from invoiced_pipeline.defs.json_logger import json_logger
from invoiced_pipeline.defs.lineage import lineage_specs
from invoiced_pipeline.defs.models.definitions import models_definitions
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.defs.resources import StartDate, Warehouse, invoiced_api, settings_folder
from invoiced_pipeline.defs.retention.job import old_runs_definitions
from invoiced_pipeline.defs.runs.sensor import dead_runs_sensor
from invoiced_pipeline.defs.sweep.job import sweep_job
from invoiced_pipeline.defs.sweep.schedule import sweep_schedule
from invoiced_pipeline.defs.sync.assets import replicated_assets
from invoiced_pipeline.defs.sync.job import sync_job
from invoiced_pipeline.defs.sync.schedule import sync_schedule
from invoiced_pipeline.defs.writeback.job import writeback_job
from invoiced_pipeline.defs.writeback.schedules import after_sync_sensor, writeback_schedule
from invoiced_pipeline.selection.clear_copies import refuse_clear_copies
from invoiced_pipeline.settings import (
    ConnectionSettings,
    Settings,
    WritebackSettings,
    with_key_prefix,
)


def build_definitions(
    settings: Settings, *, key_prefix: Sequence[str] | None = None
) -> dg.Definitions:
    """Returns everything that Dagster shows and runs, for `dg.Definitions.merge` with others.

    Nothing is read but the settings: neither an API key, nor the network, nor the warehouse. Runs
    read the settings' file and `.env` again, from the folder that `load_settings` was given.

    Example:
        ```python
        defs = dg.Definitions.merge(
            dg.Definitions(assets=[...]),
            build_definitions(load_settings(folder=Path(__file__).parent), key_prefix=["finance"]),
        )
        ```

    Args:
        settings: All settings, from `load_settings`.
        key_prefix: Replaces `key_prefix` of every connection. It begins asset keys
            (`finance/invoiced/invoices`), and the names of jobs, schedules, sensors, groups, ops
            and resources (`finance_invoiced_sync`, `finance_warehouse`).

    Raises:
        ConfigurationError: A setting, or the prefix, is wrong.
    """
    if key_prefix is not None:
        settings = with_key_prefix(settings, key_prefix)
    refuse_clear_copies(settings)
    sensors = [each for each in (alerts_sensor(settings), dead_runs_sensor(settings)) if each]
    return dg.Definitions.merge(
        dg.Definitions(
            resources={
                warehouse_key(settings): Warehouse(
                    path=str(settings.warehouse.path),
                    destination=settings.warehouse.destination,
                    settings_folder=settings_folder(settings),
                )
            },
            sensors=sensors,
        ),
        *(_of_connection(settings, connection) for connection in settings.connection),
        *(_of_writeback(settings, writeback) for writeback in settings.writeback),
        old_runs_definitions(settings),
    )


def project_definitions(settings: Settings) -> dg.Definitions:
    """Returns the definitions of a code location of their own, with its executor and logger.

    `build_definitions` has neither: both hold for all jobs that they are merged with.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    return dg.Definitions.merge(
        build_definitions(settings),
        dg.Definitions(
            executor=dg.in_process_executor,
            loggers={"console": json_logger(settings)} if settings.logs.format == "json" else None,
        ),
    )


def _of_writeback(settings: Settings, writeback: WritebackSettings) -> dg.Definitions:
    """One write-back's job, and what starts it."""
    connection = settings.find(writeback.connection)
    job = writeback_job(settings, writeback, ConnectionKeys.of(settings, connection))
    schedule = writeback_schedule(settings, writeback, job)
    sensor = after_sync_sensor(settings, writeback, job, sync_job(connection))
    return dg.Definitions(
        jobs=[job],
        schedules=[schedule] if schedule else [],
        sensors=[sensor] if sensor else [],
    )


def _of_connection(settings: Settings, connection: ConnectionSettings) -> dg.Definitions:
    """One connection's assets, jobs, schedules and resources."""
    dataset = ReplicatedDataset.of(settings, connection)
    sweep, sensor = sweep_job(dataset), events_sensor(dataset)
    tables = dg.Definitions(
        assets=[
            replicated_assets(dataset, destination=settings.warehouse.destination),
            *lineage_specs(settings, dataset),
        ],
        jobs=[sync_job(connection), sweep],
        schedules=[
            sync_schedule(settings, connection, dataset.tables, dataset.partitions),
            sweep_schedule(dataset, sweep),
        ],
        sensors=[sensor] if sensor else [],
        resources={
            dataset.keys.invoiced_api: invoiced_api(settings, connection),
            dataset.keys.start_date: StartDate(date=dataset.start.isoformat()),
        },
    )
    return dg.Definitions.merge(tables, models_definitions(settings, dataset))
