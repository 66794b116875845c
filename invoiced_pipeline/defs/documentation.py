"""Has a connection's dataset described in the warehouse; apart, for what it imports is large."""

from invoiced_pipeline.catalog.selection import all_tables_of
from invoiced_pipeline.replication.documentation import document_dataset
from invoiced_pipeline.settings import ConnectionSettings
from invoiced_pipeline.warehouse.database import Database


def document(database: Database, connection: ConnectionSettings) -> None:
    """Writes comments and keeps the views without deleted rows, where something changed.

    Args:
        database: The warehouse; the caller holds the writer's lock.
        connection: Whose dataset, and how its columns are treated.
    """
    document_dataset(
        database,
        connection.dataset,
        all_tables_of(connection),
        current_views=connection.current_views,
    )
