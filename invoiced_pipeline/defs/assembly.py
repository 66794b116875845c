"""Puts the definitions together from the settings, without key, network or warehouse."""

import dagster as dg

from invoiced_pipeline.defs.connection_keys import ConnectionKeys
from invoiced_pipeline.defs.lineage import lineage_specs
from invoiced_pipeline.defs.partitions import partitions_for
from invoiced_pipeline.defs.resources import InvoicedApi, StartDate, Warehouse
from invoiced_pipeline.defs.retention.job import old_runs_definitions
from invoiced_pipeline.defs.sweep import sweep_job, sweep_schedule
from invoiced_pipeline.defs.sync.assets import replicated_assets
from invoiced_pipeline.defs.sync.job import sync_job
from invoiced_pipeline.defs.sync.schedule import sync_schedule
from invoiced_pipeline.defs.writeback.job import writeback_job
from invoiced_pipeline.defs.writeback.schedules import after_sync_sensor, writeback_schedule
from invoiced_pipeline.selection.clear_copies import refuse_clear_copies
from invoiced_pipeline.selection.tables import tables_of
from invoiced_pipeline.settings import ConnectionSettings, Settings, WritebackSettings
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline.warehouse.start_date import default_start_date


def build_definitions(settings: Settings) -> dg.Definitions:
    """Everything that Dagster sees.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    refuse_clear_copies(settings)
    return dg.Definitions.merge(
        dg.Definitions(
            resources={
                "warehouse": Warehouse(
                    path=str(settings.warehouse.path), destination=settings.warehouse.destination
                )
            },
            # One writer, one op: a process of its own would cost seconds and gain nothing.
            executor=dg.in_process_executor,
        ),
        *(_of_connection(settings, connection) for connection in settings.connection),
        *(_of_writeback(settings, writeback) for writeback in settings.writeback),
        old_runs_definitions(settings),
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
    """One connection's assets, jobs and schedules, in a group of their own."""
    database = open_database(settings.warehouse)
    start = connection.start_date or default_start_date(database, connection.dataset)
    partitions = partitions_for(connection.partitions, start)
    tables = tables_of(settings, connection)
    keys = ConnectionKeys.of(settings, connection)
    sweep = sweep_job(connection, tables, keys)
    return dg.Definitions(
        assets=[
            replicated_assets(
                connection,
                tables,
                keys,
                partitions,
                start,
                destination=settings.warehouse.destination,
            ),
            *lineage_specs(settings, connection, tables),
        ],
        jobs=[sync_job(connection), sweep],
        schedules=[
            sync_schedule(settings, connection, tables, partitions),
            sweep_schedule(connection, tables, sweep),
        ],
        resources={
            keys.invoiced_api: InvoicedApi(
                connection=connection.name, base_url=connection.base_url
            ),
            keys.start_date: StartDate(date=start.isoformat()),
        },
    )
