"""Builds the definitions from the settings, without an API key, a network or a warehouse."""

import dagster as dg

from invoiced_pipeline.defs.connection_keys import ConnectionKeys
from invoiced_pipeline.defs.lineage import lineage_specs
from invoiced_pipeline.defs.models.definitions import models_definitions
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.defs.resources import InvoicedApi, StartDate, Warehouse
from invoiced_pipeline.defs.retention.job import old_runs_definitions
from invoiced_pipeline.defs.sweep.job import sweep_job
from invoiced_pipeline.defs.sweep.schedule import sweep_schedule
from invoiced_pipeline.defs.sync.assets import replicated_assets
from invoiced_pipeline.defs.sync.job import sync_job
from invoiced_pipeline.defs.sync.schedule import sync_schedule
from invoiced_pipeline.defs.writeback.job import writeback_job
from invoiced_pipeline.defs.writeback.schedules import after_sync_sensor, writeback_schedule
from invoiced_pipeline.selection.clear_copies import refuse_clear_copies
from invoiced_pipeline.settings import ConnectionSettings, Settings, WritebackSettings


def build_definitions(settings: Settings) -> dg.Definitions:
    """Returns everything that Dagster shows and runs.

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
            # A run has one op: a process for it would cost seconds and gain nothing.
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
    """One connection's assets, jobs, schedules and resources."""
    dataset = ReplicatedDataset.of(settings, connection)
    sweep = sweep_job(dataset)
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
        resources={
            dataset.keys.invoiced_api: InvoicedApi(
                connection=connection.name, base_url=connection.base_url
            ),
            dataset.keys.start_date: StartDate(date=dataset.start.isoformat()),
        },
    )
    return dg.Definitions.merge(tables, models_definitions(settings, dataset))
