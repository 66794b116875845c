"""The state of connections, from Dagster's run history; the warehouse stays closed."""

from invoiced_pipeline.defs.status.connection import ConnectionStatus, connection_status
from invoiced_pipeline.defs.status.tables import TableStatus, table_statuses
from invoiced_pipeline.defs.status.writebacks import WritebackStatus

__all__ = [
    "ConnectionStatus",
    "TableStatus",
    "WritebackStatus",
    "connection_status",
    "table_statuses",
]
