"""Comments and views in the warehouse that document a connection's dataset."""

import logging

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.replication.documentation.dataset import document_dataset
from invoiced_pipeline.selection.tables import all_tables_of
from invoiced_pipeline.settings import ConnectionSettings
from invoiced_pipeline.warehouse.database import Database, Session

logger = logging.getLogger(__name__)


def document(connection: ConnectionSettings, session: Session) -> None:
    """Updates comments and the dataset's views, if something has changed.

    Args:
        connection: It names the dataset and says which columns are hashed or dropped.
        session: A session over the dataset; the caller holds the writer's lock.
    """
    document_dataset(
        session,
        all_tables_of(connection),
        current_views=connection.current_views,
        stitch_schema=connection.stitch_schema,
    )


def document_after_push(connection: ConnectionSettings, database: Database) -> None:
    """Documents tables that a first push has created, in a session of its own.

    A push that succeeded does not fail because another program has opened the file: the next sync
    or push writes the comments.
    """
    try:
        with database.session(connection.dataset) as session:
            document(connection, session)
    except WarehouseError as error:
        logger.warning(
            "The comments in %s were not brought up to date: %s", connection.dataset, error
        )
