"""A run of a dlt pipeline inside a Dagster op."""

from typing import TYPE_CHECKING

import dagster as dg
from dagster_dlt import DagsterDltResource, DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData

from invoiced_pipeline.defs.names import table_key
from invoiced_pipeline.settings import ConnectionSettings

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.extract import DltSource


class _TableTranslator(DagsterDltTranslator):
    """Maps a dlt resource to the asset of the same table."""

    def __init__(self, connection: ConnectionSettings) -> None:
        self._connection = connection

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """Returns the asset of the table that the resource is named after."""
        return dg.AssetSpec(table_key(self._connection, data.resource.name))


def run_pipeline(
    context: dg.AssetExecutionContext,
    connection: ConnectionSettings,
    source: "DltSource",
    pipeline: "Pipeline",
) -> None:
    """Extracts, normalizes and loads.

    dagster-dlt's own results are dropped: they hold less than the replication's reports, and exist
    for failed tables, too.

    Raises:
        Exception: As dlt's `Pipeline.run`.
    """
    events = DagsterDltResource().run(
        context=context,
        dlt_source=source,
        dlt_pipeline=pipeline,
        dagster_dlt_translator=_TableTranslator(connection),
        loader_file_format="parquet",
    )
    next(events, None)  # the load; what follows are the results
