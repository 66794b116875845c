"""What a sync reports to Dagster: materializations, check results, and at last its failure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import dagster as dg

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.checks.audit import Audit
from invoiced_pipeline.defs.checks.specs import check_results
from invoiced_pipeline.defs.checks.unevaluated import UnevaluatedChecks
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.defs.runs.failure import run_failure
from invoiced_pipeline.defs.sync.metadata import ROW_COUNT, run_metadata
from invoiced_pipeline.defs.sync.partition_counts import PartitionCounts
from invoiced_pipeline.defs.sync.unavailable import (
    earlier_partitions,
    unavailable_events,
    warned_checks,
)
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.replication.failure_list import Failure
from invoiced_pipeline.replication.replication import Replication
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.warehouse.database import Database

Result = dg.MaterializeResult | dg.AssetCheckResult | dg.AssetObservation


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResults:
    """What came of a load.

    Attributes:
        context: The run's.
        dataset: What was loaded.
        database: The warehouse, after the load.
        replication: What was read.
        audit: The checks after the load.
        stages: Seconds of dlt's stages.
    """

    context: dg.AssetExecutionContext
    dataset: ReplicatedDataset
    database: Database
    replication: Replication
    audit: Audit
    stages: Mapping[str, float]

    def events(self, failures: Sequence[Failure]) -> Iterator[Result]:
        """Yields the results of every complete table, then fails if there is a problem.

        Args:
            failures: Failures that no table's report holds.

        Raises:
            dagster.Failure: A table is not complete, or a check found an error.
        """
        for report in self.audit.complete:
            yield self._materialization(report)
        unavailable = self.replication.unavailable
        yield from unavailable_events(self.dataset.connection, unavailable)
        feed = self.replication.deletions
        if feed is not None and feed.error:
            unread = Failure(
                "deletions", feed.error, feed.cause, is_table=False, reason=feed.reason
            )
            failures = [*failures, unread]
        if problems := self.audit.problems(failures):
            yield from self._unevaluated_checks()
            # After the results: Dagster drops those that follow an exception.
            raise run_failure(problems, self.audit.failures(failures))

    def _materialization(self, report: TableReport) -> dg.MaterializeResult:
        (table,) = [each for each in self.dataset.tables if each.name == report.table]
        key, rows = self.dataset.asset_key(table), self.audit.rows[report.table]
        self._record_partitions(table, report)
        metadata = run_metadata(report, rows, self.stages, problem=self.audit.problem(report))
        newest = self.context.partition_keys[-1]
        self.context.add_asset_metadata(metadata, asset_key=key, partition_key=newest)
        if report.mode == "full" or report.coverage_before.until is None:
            self.context.log_event(dg.AssetObservation(key, metadata={ROW_COUNT: rows}))
        return dg.MaterializeResult(
            asset_key=key, check_results=check_results(key, self.audit.findings[report.table])
        )

    def _record_partitions(self, table: Table, report: TableReport) -> None:
        """Records the rows of the run's partitions, and of others that rows moved out of."""
        key, keys = self.dataset.asset_key(table), self.context.partition_keys
        earlier = earlier_partitions(self.context, report, self.dataset.partitions)
        counts = PartitionCounts(
            self.context.instance, self.database, self.dataset, [*earlier, *keys]
        )
        try:
            found = counts.metadata(table, report)
        except WarehouseError as error:  # the table is loaded: this must not fail the run
            self.context.log.warning("%s: its partitions were not counted: %s", table.name, error)
            return
        for partition, metadata in found.items():
            if partition in keys:
                self.context.add_asset_metadata(metadata, asset_key=key, partition_key=partition)
                continue
            text = (
                "This run also read this partition: the account did not have the table before."
                if partition in earlier
                else "A record of this partition changed and is now in a later partition."
            )
            self.context.log_event(
                dg.AssetMaterialization(
                    key, partition=partition, metadata=metadata, description=text
                )
            )

    def _unevaluated_checks(self) -> Iterator[dg.AssetCheckResult]:
        request, reports = self.replication.request, self.replication.reports
        unloaded = tuple(each for each in request.tables if not reports[each.name].is_complete)
        evaluated = warned_checks(self.dataset.connection, self.replication.unavailable)
        checks = UnevaluatedChecks(self.context, self.dataset, self.database, evaluated)
        yield from checks.of_unloaded(replace(request, tables=unloaded))
        yield from checks.not_compared(request.tables, self.audit)
