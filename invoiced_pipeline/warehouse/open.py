"""The way from the settings to the warehouse; loads no driver before it is needed."""

from invoiced_pipeline.settings import WarehouseSettings
from invoiced_pipeline.warehouse.database import Database


def open_database(settings: WarehouseSettings) -> Database:
    """Returns the warehouse of `settings`; nothing is open until one of its methods is called."""
    if settings.destination == "postgres":
        from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase

        return PostgresDatabase(settings.server, settings.path.parent)
    from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase

    return DuckDbDatabase(settings.path, settings.storage_version)
