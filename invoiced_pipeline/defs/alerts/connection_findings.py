"""All that Dagster's records say about one connection; neither warehouse nor API is opened."""

from collections.abc import Set
from datetime import datetime

import dagster as dg

from invoiced_pipeline.alerts.incident import Finding
from invoiced_pipeline.defs.alerts.check_findings import check_findings
from invoiced_pipeline.defs.alerts.sweep_findings import sweep_findings
from invoiced_pipeline.defs.alerts.table_findings import PARTS, WHOLE_SWEEP, table_findings
from invoiced_pipeline.defs.alerts.writeback_findings import writeback_findings
from invoiced_pipeline.selection.tables import tables_of
from invoiced_pipeline.settings import ConnectionSettings, Settings, WritebackSettings


def connection_findings(
    instance: dg.DagsterInstance, settings: Settings, connection: ConnectionSettings, now: datetime
) -> list[Finding]:
    """Returns what is known of a connection at `now` (UTC).

    Raises:
        ConfigurationError: Its selection of tables is wrong.
    """
    tables = tables_of(settings, connection)
    return [
        *table_findings(instance, settings, connection, now),
        *check_findings(instance, connection, tables),
        *sweep_findings(instance, connection, [table.name for table in tables]),
        *(
            finding
            for writeback in _writebacks(settings, connection)
            for finding in writeback_findings(instance, connection, writeback)
        ),
    ]


def subjects_of(settings: Settings, connection: ConnectionSettings) -> Set[str]:
    """Returns everything that an incident of a connection can be about."""
    tables = {table.name for table in tables_of(settings, connection)}
    writebacks = {each.name for each in _writebacks(settings, connection)}
    return tables | writebacks | {*PARTS, WHOLE_SWEEP}


def _writebacks(settings: Settings, connection: ConnectionSettings) -> list[WritebackSettings]:
    return [each for each in settings.writeback if settings.find(each.connection) == connection]
