"""Puts the definitions together from the settings, without key, network or warehouse."""

import dagster as dg

from invoiced_pipeline.catalog.selection import tables_of
from invoiced_pipeline.defs.jobs import sync_job
from invoiced_pipeline.defs.partitions import partitions_for
from invoiced_pipeline.defs.replicate import replicated_assets
from invoiced_pipeline.defs.resources import InvoicedApi, StartDate, Warehouse
from invoiced_pipeline.defs.schedules import sync_schedule
from invoiced_pipeline.defs.sweep import sweep_job, sweep_schedule
from invoiced_pipeline.settings import Settings
from invoiced_pipeline.warehouse.opening import open_database
from invoiced_pipeline.warehouse.start_date import default_start_date


def build_definitions(settings: Settings) -> dg.Definitions:
    """Everything that Dagster sees.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    connection = settings.first
    database = open_database(settings.warehouse)
    start = connection.start_date or default_start_date(database, connection.dataset)
    partitions = partitions_for(connection.partitions, start)
    tables = tables_of(settings, connection)
    sweep = sweep_job(connection, tables)
    return dg.Definitions(
        assets=[replicated_assets(connection, tables, partitions, start)],
        jobs=[sync_job(connection.dataset), sweep],
        schedules=[
            sync_schedule(settings, connection, tables, partitions),
            sweep_schedule(connection, sweep),
        ],
        resources={
            "invoiced_api": InvoicedApi(connection=connection.name, base_url=connection.base_url),
            "start_date": StartDate(date=start.isoformat()),
            "warehouse": Warehouse(path=str(settings.warehouse.path)),
        },
        # One writer, one op: a process of its own would cost seconds and gain nothing.
        executor=dg.in_process_executor,
    )
