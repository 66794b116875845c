"""The sweep at the end of a full refresh: the tables then hold the API's records and no others."""

from dataclasses import replace

from invoiced_pipeline.exceptions import InvoicedPipelineError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.replication.failure_list import Failure, reason_of
from invoiced_pipeline.replication.replication import Replication
from invoiced_pipeline.replication.sweep.dataset_sweep import sweep_dataset
from invoiced_pipeline.settings import ConnectionSettings
from invoiced_pipeline.warehouse.deletion_marks import Marks


def sweep_full_tables(
    replication: Replication,
    client: InvoicedClient,
    marks: Marks,
    connection: ConnectionSettings,
) -> list[Failure]:
    """Sweeps the tables that were read from start to end, and adds the counts to their reports.

    Returns:
        What failed; the tables are loaded all the same.
    """
    whole = {
        name
        for name, report in replication.reports.items()
        if report.mode == "full" and report.is_complete
    }
    tables = tuple(table for table in replication.request.tables if table.name in whole)
    if not tables:
        return []
    request = replace(replication.request, tables=tables)
    share, listed = connection.sweep_max_share, replication.listed
    try:
        swept = sweep_dataset(client, request, marks, max_share=share, listed=listed)
    except InvoicedPipelineError as error:
        return [Failure("sweep", str(error), is_table=False, reason=reason_of(error))]
    for sweep in swept.values():
        report = replication.reports[sweep.table]
        report.unavailable = sweep.unavailable
        report.deleted += sweep.deleted
        report.rows += sweep.brought
        report.brought += sweep.brought
    return [
        Failure(each.table, each.error, each.cause, reason=each.reason)
        for each in swept.values()
        if each.error
    ]
