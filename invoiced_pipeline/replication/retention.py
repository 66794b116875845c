"""The retention of events: rows older than a connection keeps are removed after a load."""

import logging
from collections.abc import Mapping

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.warehouse.database import Database

logger = logging.getLogger(__name__)


def remove_expired(
    database: Database,
    dataset: str,
    request: ReplicationRequest,
    reports: Mapping[str, TableReport],
) -> None:
    """Removes expired rows of the tables that a run has loaded; the run holds the writer's lock.

    The coverage that the load committed does not claim them any more. A failure is logged, and the
    next run removes them.
    """
    for table in request.tables:
        expired = request.expired(table)
        if expired is None or not reports[table.name].is_complete:
            continue
        where = f'from "{table.name}" where "{table.replication_key}" < %s'
        try:
            with database.session(dataset) as session, session.transaction():
                ((rows,),) = session.rows(f"select count(*) {where}", [expired.end])
                if rows:
                    session.run(f"delete {where}", [expired.end])
        except WarehouseError as error:
            logger.warning("%s: expired rows could not be removed: %s", table.name, error)
            continue
        if rows:
            logger.info(
                "%s: %s older than %d days removed",
                table.name,
                counted(rows, "row"),
                table.retention_days,
            )
