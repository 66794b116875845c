"""What the op of the sweep does: it compares tables with the API and reports the counts."""

from collections.abc import Iterator, Mapping

import dagster as dg

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.names import table_key
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.defs.runs.event_log import write_events_quickly
from invoiced_pipeline.defs.runs.failure import run_failure, whole_failure
from invoiced_pipeline.defs.sweep.job import SweepConfig
from invoiced_pipeline.defs.sync.metadata import ROW_COUNT
from invoiced_pipeline.defs.sync.unavailable import UNAVAILABLE
from invoiced_pipeline.exceptions import InvoicedPipelineError, WarehouseBusyError
from invoiced_pipeline.replication.availability import announce
from invoiced_pipeline.replication.failure_list import Failure, failure_lines, under_headings
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.sweep.dataset_sweep import sweep_dataset
from invoiced_pipeline.replication.sweep.report import SweepReport
from invoiced_pipeline.replication.sync_log_writer import SyncLogWriter
from invoiced_pipeline.selection.privacy import privacy_of
from invoiced_pipeline.settings import reload_settings, remembered_host
from invoiced_pipeline.warehouse.dataset import row_counts
from invoiced_pipeline.warehouse.deletion_marks import Marks

_SECONDS_BETWEEN_TRIES = 60


def execute(
    context: dg.OpExecutionContext, config: SweepConfig, dataset: ReplicatedDataset
) -> Iterator[dg.AssetObservation | dg.Output]:
    """Compares the tables and observes each with its counts.

    Raises:
        dagster.Failure: A table could not be compared, or too many of its rows would be marked.
        dagster.RetryRequested: Another run writes the warehouse, and tries are left.
    """
    write_events_quickly(context.instance)
    chosen = tuple(
        table for table in dataset.tables if not config.tables or table.name in config.tables
    )
    try:
        reports, counts = _sweep(context, config, dataset, chosen)
    except WarehouseBusyError as error:
        if context.retry_number + 1 < config.tries:
            raise dg.RetryRequested(config.tries - 1, _SECONDS_BETWEEN_TRIES) from error
        raise whole_failure(error) from error
    except InvoicedPipelineError as error:
        raise whole_failure(error) from error
    for report in reports.values():
        yield _observation(dataset, report, counts[report.table])
    failed = [
        Failure(each.table, each.error, each.cause, reason=each.reason)
        for each in reports.values()
        if each.error
    ]
    if failed:
        # After the counts: Dagster drops those that follow an exception.
        text = under_headings([("not swept", failure_lines(failed, of=len(reports)))])
        raise run_failure(text, failed)
    yield dg.Output(None)


def _sweep(
    context: dg.OpExecutionContext,
    config: SweepConfig,
    dataset: ReplicatedDataset,
    tables: tuple[Table, ...],
) -> tuple[Mapping[str, SweepReport], Mapping[str, int]]:
    """Sweeps; returns the reports, and the rows that each table holds afterwards."""
    connection = dataset.connection
    invoiced_api, start_date, warehouse = dataset.keys.found_in(context.resources)
    request = ReplicationRequest(
        tables=tables,
        mode="full",
        start_date=start_date.instant,
        cadence=connection.partitions,
        connection=connection.name,
        host=remembered_host(invoiced_api.base_url),
        run_id=context.run_id,
        selected=frozenset(table.name for table in dataset.tables),
        privacy=privacy_of(connection, reload_settings(dataset.settings).hash_salt),
        default_start=dataset.default_start,
    )
    share = connection.sweep_max_share if config.allow_share is None else config.allow_share
    database = warehouse.database
    with (
        invoiced_api.client() as client,
        warehouse.writer(dataset.name, context.run_id, context.instance),
    ):
        database.check_writable()
        marks = Marks(database, dataset.name, connection.deletions)
        reports = sweep_dataset(client, request, marks, max_share=share)
        SyncLogWriter(database, dataset.name, request).write_sweep(reports)
        counts = row_counts(database, dataset.name, reports)
    announce(
        {name: each.unavailable for name, each in reports.items() if each.unavailable}, swept=True
    )
    return reports, counts


def _observation(
    dataset: ReplicatedDataset, report: SweepReport, row_count: int
) -> dg.AssetObservation:
    """Returns a table's counts, as its asset shows them."""
    metadata = {
        ROW_COUNT: row_count,
        "rows": report.rows,
        "listed": report.listed,
        "deleted_rows": report.deleted,
        "rows_loaded": report.brought,
        "requests": report.tally.requests,
        "seconds": round(report.seconds, 3),
        **({"error": report.error} if report.error else {}),
        **({UNAVAILABLE: report.unavailable} if report.unavailable else {}),
    }
    return dg.AssetObservation(
        asset_key=table_key(dataset.connection, report.table), metadata=metadata
    )
