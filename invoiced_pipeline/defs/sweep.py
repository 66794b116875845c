"""The sweep as a job of its own, with a weekly schedule that is on unless it is turned off."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.connection_keys import ConnectionKeys
from invoiced_pipeline.defs.names import asset_key, schedule_name, sweep_job_name
from invoiced_pipeline.defs.sync.job import described
from invoiced_pipeline.defs.sync.metadata import ROW_COUNT
from invoiced_pipeline.defs.sync.unavailable import UNAVAILABLE
from invoiced_pipeline.exceptions import InvoicedPipelineError, WarehouseBusyError
from invoiced_pipeline.replication.failure_list import Failure, failure_lines, under_headings
from invoiced_pipeline.settings import ConnectionSettings, load_settings, remembered_host

if TYPE_CHECKING:
    from invoiced_pipeline.replication.sweep.report import SweepReport

WEEKLY = "23 4 * * 0"
"""Sundays at 04:23 UTC: not on the hour, when syncs run."""

_SCHEDULED_TRIES = 30
_SECONDS_BETWEEN_TRIES = 60


class SweepConfig(dg.Config):
    """What a run of the sweep does."""

    tables: list[str] = Field(default=[], description="Which tables; all when empty.")
    allow_share: float | None = Field(
        default=None,
        description="The share of a table's rows that may be marked; else the settings say.",
    )
    tries: int = Field(
        default=1, ge=1, description="How often to try, a minute apart, while another run writes."
    )


def sweep_op_name(dataset: str) -> str:
    """Name of the op that sweeps `dataset`."""
    return f"compare_{dataset}"


def sweep_job(
    connection: ConnectionSettings, tables: Sequence[Table], keys: ConnectionKeys
) -> dg.JobDefinition:
    """The job `<dataset>_sweep`: finds rows whose records are gone, and records without a row.

    Args:
        connection: Whose dataset.
        tables: Those that it selects; no others are swept.
        keys: Its resources.
    """
    dataset = connection.dataset
    names = [table.name for table in tables]

    @dg.op(
        name=sweep_op_name(dataset),
        description="Compares the API's ids with all rows.",
        required_resource_keys=keys.required,
    )
    def compare(
        context: dg.OpExecutionContext, config: SweepConfig
    ) -> Iterator[dg.AssetObservation | dg.Output]:
        try:
            chosen = tuple(table for table in tables if table.name in (config.tables or names))
            selected = frozenset(names)
            reports, counts = _sweep(context, config, connection, chosen, keys, selected=selected)
        except WarehouseBusyError as error:
            if context.retry_number + 1 < config.tries:
                raise dg.RetryRequested(config.tries - 1, _SECONDS_BETWEEN_TRIES) from error
            raise dg.Failure(str(error), allow_retries=False) from error
        except InvoicedPipelineError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        for report in reports.values():
            yield _observation(dataset, report, counts[report.table])
        failed = [
            Failure(each.table, each.error, each.cause) for each in reports.values() if each.error
        ]
        if failed:
            # Last, for whatever is raised before a yield takes the counts after it along.
            text = under_headings([("not swept", failure_lines(failed, of=len(reports)))])
            raise dg.Failure(text, allow_retries=False)
        yield dg.Output(None)

    @dg.job(
        name=sweep_job_name(dataset),
        description=described(
            "Marks rows whose records are gone, of which no event told, and brings records "
            "without `updated_at`. It lists ids only.",
            connection,
        ),
    )
    def sweep() -> None:
        compare()

    return sweep


def sweep_schedule(
    connection: ConnectionSettings, tables: Sequence[Table], job: dg.JobDefinition
) -> dg.ScheduleDefinition:
    """Runs the sweep once a week, waiting for a sync that is under way.

    It is on from the beginning: what no event told of is found by nothing else. A tick asks
    Dagster's records, never the warehouse.

    Args:
        connection: Whose dataset.
        tables: Those that it selects.
        job: Its sweep.
    """
    keys = [asset_key(connection.dataset, table) for table in tables]
    config = SweepConfig(tries=_SCHEDULED_TRIES)

    @dg.schedule(
        name=schedule_name(job.name),
        job_name=job.name,
        cron_schedule=WEEKLY,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Sundays at 04:23 UTC, once something is loaded. It waits for a running sync.",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        latest = context.instance.get_latest_materialization_event
        if not any(latest(key) for key in keys):
            return dg.SkipReason("nothing is loaded yet")
        return dg.RunRequest(
            run_config=dg.RunConfig(ops={sweep_op_name(connection.dataset): config})
        )

    return tick


def _sweep(  # noqa: PLR0913 - a run's order
    context: dg.OpExecutionContext,
    config: SweepConfig,
    connection: ConnectionSettings,
    tables: tuple[Table, ...],
    keys: ConnectionKeys,
    *,
    selected: frozenset[str],
) -> tuple[Mapping[str, "SweepReport"], Mapping[str, int]]:
    """Sweeps; gives the reports, and the rows that each table holds afterwards."""
    from invoiced_pipeline.replication.availability import announce
    from invoiced_pipeline.replication.request import ReplicationRequest
    from invoiced_pipeline.replication.sweep.dataset_sweep import sweep_dataset
    from invoiced_pipeline.replication.sync_log_writer import SyncLogWriter
    from invoiced_pipeline.selection.privacy import privacy_of
    from invoiced_pipeline.warehouse.dataset import row_counts
    from invoiced_pipeline.warehouse.deletion_marks import Marks

    invoiced_api, start_date, warehouse = keys.found_in(context.resources)
    request = ReplicationRequest(
        tables=tables,
        mode="full",
        start_date=start_date.instant,
        cadence=connection.partitions,
        connection=connection.name,
        host=remembered_host(invoiced_api.base_url),
        run_id=context.run_id,
        selected=selected,
        privacy=privacy_of(connection, load_settings().hash_salt),
    )
    dataset, share = connection.dataset, config.allow_share
    share = connection.sweep_max_share if share is None else share
    database = warehouse.database
    with (
        invoiced_api.client() as client,
        warehouse.writer(dataset, context.run_id, context.instance),
    ):
        database.check_writable()
        marks = Marks(database, dataset, connection.deletions)
        reports = sweep_dataset(client, request, marks, max_share=share)
        SyncLogWriter(database, dataset, request).write_sweep(reports)
        counts = row_counts(database, dataset, reports)
    announce(
        {name: each.unavailable for name, each in reports.items() if each.unavailable}, swept=True
    )
    return reports, counts


def _observation(dataset: str, report: "SweepReport", row_count: int) -> dg.AssetObservation:
    """A table's counts, shown at its asset."""
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
    return dg.AssetObservation(asset_key=dg.AssetKey([dataset, report.table]), metadata=metadata)
