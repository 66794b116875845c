"""Has a connection's dataset described in the warehouse; apart, for what it imports is large."""

import logging

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.replication.documentation.dataset import document_dataset
from invoiced_pipeline.selection.tables import all_tables_of
from invoiced_pipeline.settings import ConnectionSettings
from invoiced_pipeline.warehouse.database import Database, Session

logger = logging.getLogger(__name__)


def document(connection: ConnectionSettings, session: Session) -> None:
    """Writes comments and keeps the views without deleted rows, where something changed.

    Args:
        connection: Whose dataset it is, and how its columns are treated.
        session: Over that dataset; the caller holds the writer's lock.
    """
    document_dataset(session, all_tables_of(connection), current_views=connection.current_views)


def document_after_push(connection: ConnectionSettings, database: Database) -> None:
    """The same in a session of its own, for tables that a first push has made.

    A push that succeeded does not fail because somebody opened the file meanwhile: the next sync
    or push writes the comments.
    """
    try:
        with database.session(connection.dataset) as session:
            document(connection, session)
    except WarehouseError as error:
        logger.warning(
            "The comments in %s were not brought up to date: %s", connection.dataset, error
        )
