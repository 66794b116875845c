"""The assets: one op that replicates all selected tables in one dlt load."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

import dagster as dg
from pydantic import Field

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.checks.audit import Audit
from invoiced_pipeline.defs.checks.execute import run_checks
from invoiced_pipeline.defs.checks.specs import check_results, check_specs
from invoiced_pipeline.defs.checks.standing import StandingChecks, checks_after
from invoiced_pipeline.defs.connection_keys import ConnectionKeys
from invoiced_pipeline.defs.names import asset_key, op_name
from invoiced_pipeline.defs.partition_range import check_partition_range
from invoiced_pipeline.defs.resources import InvoicedApi, StartDate, Warehouse
from invoiced_pipeline.defs.sync.asset_specs import asset_spec
from invoiced_pipeline.defs.sync.metadata import ROW_COUNT, run_metadata
from invoiced_pipeline.defs.sync.partition_counts import PartitionFigures
from invoiced_pipeline.defs.sync.skipped_ticks import skipped_starts
from invoiced_pipeline.defs.sync.unavailable import (
    earlier_partitions,
    unavailable_events,
    warned_checks,
)
from invoiced_pipeline.exceptions import InvoicedPipelineError, WarehouseError
from invoiced_pipeline.replication.failure_list import Failure
from invoiced_pipeline.replication.report import Mode
from invoiced_pipeline.settings import (
    ConnectionSettings,
    Destination,
    load_settings,
    remembered_host,
)
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.windows import Window

if TYPE_CHECKING:
    from invoiced_pipeline.invoiced.http.client import InvoicedClient
    from invoiced_pipeline.replication.replication import Replication
    from invoiced_pipeline.replication.report import TableReport
    from invoiced_pipeline.replication.request import ReplicationRequest
    from invoiced_pipeline.warehouse.deletion_marks import Marks


WhenBusy = Literal["fail", "wait"]


class ReplicateConfig(dg.Config):
    """How a run reads."""

    mode: Mode = Field(
        "window",
        description="`window` reads the chosen partitions again, `sync` what is not covered yet, "
        "whichever partitions are chosen, and `full` everything since the start date.",
    )
    when_busy: WhenBusy = Field(
        default="fail",
        description="What the run does while another writes the warehouse: `fail` at once, naming "
        "it, or `wait` until it has ended.",
    )


def replicated_assets(  # noqa: PLR0913 - made in one place
    connection: ConnectionSettings,
    tables: Sequence[Table],
    keys: ConnectionKeys,
    partitions: dg.TimeWindowPartitionsDefinition,
    default_start: datetime,
    *,
    destination: Destination = "duckdb",
) -> dg.AssetsDefinition:
    """Every table that `connection` selects as a partitioned asset.

    Args:
        connection: Whose tables.
        tables: Those that it selects.
        keys: Its resources.
        partitions: The grid.
        default_start: What the first run pins as start date while none is set.
        destination: The kind of warehouse, which the UI shows.
    """
    dataset = connection.dataset

    @dg.multi_asset(
        name=op_name(dataset),
        specs=[asset_spec(connection, table, partitions, destination) for table in tables],
        check_specs=check_specs(dataset, tables),
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys=keys.required,
    )
    def replicate(
        context: dg.AssetExecutionContext, config: ReplicateConfig
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult | dg.AssetObservation]:
        run: _Run | None = None
        try:
            if not context.selected_asset_keys:
                wait = config.when_busy == "wait"
                yield from run_checks(context, connection, tables, keys, wait=wait)
                return
            check_partition_range(context.run.tags, partitions)
            invoiced_api, start_date, warehouse = keys.found_in(context.resources)
            run = _Run(context, connection, tables, partitions, config, start_date, default_start)
            yield from run.execute(invoiced_api, warehouse)
        except InvoicedPipelineError as error:
            if run is not None:
                yield from checks_after(error, context, connection, run.tables, keys)
            raise dg.Failure(str(error), allow_retries=False) from error

    return replicate


class _Run:
    """One execution of the op.

    Attributes:
        tables: Those that it is to load.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - made in one place
        self,
        context: dg.AssetExecutionContext,
        connection: ConnectionSettings,
        tables: Sequence[Table],
        partitions: dg.TimeWindowPartitionsDefinition,
        config: ReplicateConfig,
        start_date: StartDate,
        default_start: datetime,
    ) -> None:
        self._context = context
        self._connection = connection
        chosen = context.selected_asset_keys
        self.tables = tuple(
            table for table in tables if asset_key(connection.dataset, table) in chosen
        )
        self._selected = frozenset(table.name for table in tables)
        self._partitions = partitions
        self._mode: Mode = config.mode
        self._waits = config.when_busy == "wait"
        self._start = start_date.instant
        self._default_start = default_start
        self._failures: list[Failure] = []

    def execute(
        self, invoiced_api: InvoicedApi, warehouse: Warehouse
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult | dg.AssetObservation]:
        """Loads, yields the result of every complete table, and fails last, naming the others."""
        from invoiced_pipeline.defs.sync.dlt_run import run_pipeline
        from invoiced_pipeline.defs.sync.documentation import document
        from invoiced_pipeline.replication.api_counts import api_counts
        from invoiced_pipeline.replication.availability import announce
        from invoiced_pipeline.replication.replaced_rows import ReplacedRows
        from invoiced_pipeline.replication.replication import Replication
        from invoiced_pipeline.replication.source import invoiced_source
        from invoiced_pipeline.replication.sync_log_writer import SyncLogWriter
        from invoiced_pipeline.warehouse.deletion_marks import Marks
        from invoiced_pipeline.warehouse.dlt_load import load
        from invoiced_pipeline.warehouse.row_redaction import RowRedactor
        from invoiced_pipeline.warehouse.start_date import pin_start_date

        dataset = self._connection.dataset
        request, database = self._request(invoiced_api), warehouse.database
        run_id, instance = self._context.run.run_id, self._context.instance
        with (
            invoiced_api.client() as client,
            warehouse.writer(dataset, run_id, instance, wait=self._waits),
        ):
            database.check_writable()
            if self._connection.start_date is None:
                # Not the run's own start date: a run's configuration holds for that run only.
                pin_start_date(database, dataset, self._default_start)
            marks = Marks(database, dataset, self._connection.deletions)
            redactor = RowRedactor(database, dataset, request.privacy)
            noted = None if marks.are_ignored else marks
            replaced = ReplacedRows(database, dataset)
            replication = Replication(client, request, noted, redactor, replaced=replaced)
            with closing(replication):
                log = SyncLogWriter(database, dataset, request)
                with log.recording(
                    replication.reports,
                    skipped=partial(skipped_starts, instance, dataset),
                    document=partial(document, self._connection),
                ):
                    stages = load(
                        invoiced_source(replication),
                        database.pipeline(dataset),
                        database,
                        partial(run_pipeline, self._context, dataset),
                    )
                    self._sweep(replication, client, marks)
                announce(replication.unavailable)
                counted = api_counts(client, request, replication.reports)
            audit = Audit(database, self._connection, replication, counted)
            # Still under the lock: many partitions take Dagster a while to record, and a run that
            # dies meanwhile is only found by what it left in the lock.
            yield from self._results(replication, audit, stages, database)

    def _request(self, invoiced_api: InvoicedApi) -> "ReplicationRequest":
        from invoiced_pipeline.replication.request import ReplicationRequest
        from invoiced_pipeline.selection.privacy import privacy_of

        window = self._context.partition_time_window
        return ReplicationRequest(
            tables=self.tables,
            mode=self._mode,
            start_date=self._start,
            window=Window(window.start, window.end),
            overlap=timedelta(minutes=self._connection.overlap_minutes),
            cadence=self._connection.partitions,
            connection=self._connection.name,
            host=remembered_host(invoiced_api.base_url),
            run_id=self._context.run.run_id,
            selected=self._selected,
            privacy=privacy_of(self._connection, load_settings().hash_salt),
            reject_share=self._connection.reject_share,
        )

    def _results(
        self,
        replication: "Replication",
        audit: Audit,
        stages: Mapping[str, float],
        database: Database,
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult | dg.AssetObservation]:
        feed = replication.deletions
        if feed is not None and feed.error:
            self._failures.append(Failure("deletions", feed.error, feed.cause, is_table=False))
        for report in audit.complete:
            key = dg.AssetKey([self._connection.dataset, report.table])
            rows = audit.rows[report.table]
            self._record_partitions(key, report, database)
            told = run_metadata(report, rows, stages, problem=audit.problem(report))
            newest = self._context.partition_keys[-1]
            self._context.add_asset_metadata(told, asset_key=key, partition_key=newest)
            if report.mode == "full" or report.coverage_before.until is None:
                count = dg.AssetObservation(key, metadata={ROW_COUNT: rows})
                self._context.log_event(count)
            yield dg.MaterializeResult(
                asset_key=key, check_results=check_results(key, audit.findings[report.table])
            )
        yield from unavailable_events(self._connection.dataset, replication.unavailable)
        if problems := audit.problems(self._failures):
            reports = replication.reports
            unloaded = tuple(each for each in self.tables if not reports[each.name].is_complete)
            known = warned_checks(self._connection.dataset, replication.unavailable)
            standing = StandingChecks(self._context, self._connection, database, known)
            yield from standing.of_unloaded(replace(replication.request, tables=unloaded))
            yield from standing.not_compared(replication.request.tables, audit)
            # Last, for whatever is raised before a yield takes the results after it along.
            raise dg.Failure(problems, allow_retries=False)

    def _record_partitions(
        self, key: dg.AssetKey, report: "TableReport", database: Database
    ) -> None:
        """Has the run's partitions say how many rows they hold, and those that rows left."""
        (table,) = [each for each in self.tables if each.name == report.table]
        keys = self._context.partition_keys
        earlier = earlier_partitions(self._context, report, self._partitions)
        figures = PartitionFigures(
            self._context.instance,
            database,
            self._connection,
            self._partitions,
            [*earlier, *keys],
        )
        try:
            told = figures.of(table, report)
        except WarehouseError as error:  # what is loaded is loaded, and recorded
            self._context.log.warning("%s: its partitions were not counted: %s", table.name, error)
            return
        for partition, metadata in told.items():
            if partition in keys:
                self._context.add_asset_metadata(metadata, asset_key=key, partition_key=partition)
                continue
            text = (
                "This run read the partition, too: the account did not have the table before."
                if partition in earlier
                else "A record of this partition changed, and is in a later one since."
            )
            self._context.log_event(
                dg.AssetMaterialization(
                    key, partition=partition, metadata=metadata, description=text
                )
            )

    def _sweep(
        self,
        replication: "Replication",
        client: "InvoicedClient",
        marks: "Marks",
    ) -> None:
        """Has the tables that were read whole hold the API's records, and no others."""
        from invoiced_pipeline.replication.sweep.dataset_sweep import sweep_dataset

        whole = {
            name
            for name, report in replication.reports.items()
            if report.mode == "full" and report.is_complete
        }
        tables = tuple(table for table in self.tables if table.name in whole)
        if not tables:
            return
        request = replace(replication.request, tables=tables)
        share = self._connection.sweep_max_share
        try:
            swept = sweep_dataset(client, request, marks, max_share=share)
        except InvoicedPipelineError as error:
            self._failures.append(Failure("sweep", str(error), is_table=False))
            return
        for report in swept.values():
            if report.error:
                self._failures.append(Failure(report.table, report.error, report.cause))
            replication.reports[report.table].unavailable = report.unavailable
            replication.reports[report.table].deleted += report.deleted
            replication.reports[report.table].rows += report.brought
