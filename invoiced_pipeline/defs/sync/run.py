"""What the op of the sync does: it loads the selected tables, or only checks them."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial

import dagster as dg

from invoiced_pipeline.defs.checks.audit import Audit
from invoiced_pipeline.defs.checks.run import run_checks
from invoiced_pipeline.defs.checks.unevaluated import checks_after
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.defs.runs.event_log import write_events_quickly
from invoiced_pipeline.defs.runs.failure import whole_failure
from invoiced_pipeline.defs.sync.dlt_run import run_pipeline
from invoiced_pipeline.defs.sync.documentation import document
from invoiced_pipeline.defs.sync.partition_range import check_partition_range
from invoiced_pipeline.defs.sync.results import Result, SyncResults
from invoiced_pipeline.defs.sync.run_config import ReplicateConfig
from invoiced_pipeline.defs.sync.skipped_ticks import skipped_starts
from invoiced_pipeline.defs.sync.sweep_after_full import sweep_full_tables
from invoiced_pipeline.exceptions import InvoicedPipelineError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.replication.api_counts import api_counts
from invoiced_pipeline.replication.availability import announce
from invoiced_pipeline.replication.failure_list import Failure
from invoiced_pipeline.replication.replaced_rows import ReplacedRows
from invoiced_pipeline.replication.replication import Replication
from invoiced_pipeline.replication.replication_load import load_replication
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.retention import remove_expired
from invoiced_pipeline.replication.sync_log_writer import SyncLogWriter
from invoiced_pipeline.selection.privacy import privacy_of
from invoiced_pipeline.settings import reload_settings, remembered_host
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.deletion_marks import Marks
from invoiced_pipeline.warehouse.dlt_load import Loaded
from invoiced_pipeline.warehouse.row_redaction import RowRedactor
from invoiced_pipeline.warehouse.start_date import pin_start_date
from invoiced_pipeline.windows import Window


def execute(
    context: dg.AssetExecutionContext, config: ReplicateConfig, dataset: ReplicatedDataset
) -> Iterator[Result]:
    """Loads the run's assets, or evaluates its checks if it selects no assets.

    Raises:
        dagster.Failure: Something failed; the text says what, and what to do.
    """
    write_events_quickly(context.instance)
    run: SyncRun | None = None
    try:
        if not context.selected_asset_keys:
            yield from run_checks(context, dataset, wait=config.when_busy == "wait")
            return
        check_partition_range(context.run.tags, dataset.partitions)
        run = SyncRun(context, config, dataset)
        yield from run.execute()
    except InvoicedPipelineError as error:
        if run is not None:
            yield from checks_after(error, context, dataset, run.tables)
        raise whole_failure(error) from error


class SyncRun:
    """One load of a dataset.

    Attributes:
        tables: The tables that the run selects.
    """

    def __init__(
        self, context: dg.AssetExecutionContext, config: ReplicateConfig, dataset: ReplicatedDataset
    ) -> None:
        self._context = context
        self._config = config
        self._dataset = dataset
        self._failures: list[Failure] = []
        self._api, self._start_date, self._warehouse = dataset.keys.found_in(context.resources)
        selected = context.selected_asset_keys
        self.tables = tuple(
            table for table in dataset.tables if dataset.asset_key(table) in selected
        )

    def execute(self) -> Iterator[Result]:
        """Loads, yields the results of every complete table, and fails if one is not complete."""
        run_id, instance = self._context.run.run_id, self._context.instance
        request, database = self._request(), self._warehouse.database
        wait = self._config.when_busy == "wait"
        with (
            self._api.client() as client,
            self._warehouse.writer(self._dataset.name, run_id, instance, wait=wait),
        ):
            database.check_writable()
            self._pin_start_date(database)
            marks = Marks(database, self._dataset.name, self._dataset.connection.deletions)
            with closing(self._replication(client, request, database, marks)) as replication:
                loaded = self._load(replication, client, database, marks)
                announce(replication.unavailable)
                counted = api_counts(client, request, replication.reports)
            audit = Audit(
                database, self._dataset.connection, replication, counted, loads=loaded.load_ids
            )
            # Under the lock: Dagster takes a while to record many partitions, and a run that dies
            # meanwhile is found only by what it left in the lock.
            results = SyncResults(
                context=self._context,
                dataset=self._dataset,
                database=database,
                replication=replication,
                audit=audit,
                stages=loaded.stages,
            )
            yield from results.events(self._failures)

    def _request(self) -> ReplicationRequest:
        connection, window = self._dataset.connection, self._context.partition_time_window
        return ReplicationRequest(
            tables=self.tables,
            mode=self._config.mode,
            start_date=self._start_date.instant,
            window=Window(window.start, window.end),
            overlap=timedelta(minutes=connection.overlap_minutes),
            cadence=connection.partitions,
            connection=connection.name,
            host=remembered_host(self._api.base_url),
            run_id=self._context.run.run_id,
            selected=frozenset(table.name for table in self._dataset.tables),
            privacy=privacy_of(connection, reload_settings(self._dataset.settings).hash_salt),
            reject_share=connection.reject_share,
            default_start=self._dataset.default_start,
        )

    def _pin_start_date(self, database: Database) -> None:
        """Pins the default start date; that of a run's configuration holds for the run only."""
        if self._dataset.connection.start_date is None:
            pin_start_date(database, self._dataset.name, self._dataset.start)

    def _replication(
        self,
        client: InvoicedClient,
        request: ReplicationRequest,
        database: Database,
        marks: Marks,
    ) -> Replication:
        name = self._dataset.name
        return Replication(
            client,
            request,
            None if marks.are_ignored else marks,
            RowRedactor(database, name, request.privacy),
            replaced=ReplacedRows(database, name),
        )

    def _load(
        self, replication: Replication, client: InvoicedClient, database: Database, marks: Marks
    ) -> Loaded:
        """Loads, then sweeps what was read from start to end."""
        name, connection = self._dataset.name, self._dataset.connection
        log = SyncLogWriter(database, name, replication.request)
        with log.recording(
            replication.reports,
            skipped=partial(skipped_starts, self._context.instance, connection),
            document=partial(document, connection),
        ):
            loaded = load_replication(
                replication,
                database.pipeline(name),
                database,
                partial(run_pipeline, self._context, connection),
            )
            remove_expired(database, name, replication.request, replication.reports)
            self._failures += sweep_full_tables(replication, client, marks, connection)
        return loaded
