"""The warehouse that the settings name."""

from invoiced_pipeline.settings import WarehouseSettings
from invoiced_pipeline.warehouse.database import Database


def open_database(settings: WarehouseSettings) -> Database:
    """The warehouse of `settings`. Nothing is opened or asked before one of its methods is."""
    if settings.destination == "postgres":
        from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase

        return PostgresDatabase(settings.server, settings.path.parent)
    from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase

    return DuckDbDatabase(settings.path, settings.storage_version)
