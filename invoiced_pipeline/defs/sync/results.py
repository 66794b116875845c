"""What a sync reports to Dagster: materializations, check results, and at last its failure."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg

from invoiced_pipeline.defs.checks.audit import Audit
from invoiced_pipeline.defs.checks.specs import check_results, logged_or_planned
from invoiced_pipeline.defs.checks.unevaluated import UnevaluatedChecks
from invoiced_pipeline.defs.names import table_key
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.defs.runs.failure import run_failure
from invoiced_pipeline.defs.sync.metadata import ROW_COUNT, plain_metadata, run_metadata
from invoiced_pipeline.defs.sync.partition_counts import PartitionCounts
from invoiced_pipeline.defs.sync.quiet_tables import observation, quiet_tables
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
        """Yields the results of every complete table with news, then fails if there is a problem.

        Args:
            failures: Failures that no table's report holds.

        Raises:
            dagster.Failure: A table is not complete, or a check found an error.
        """
        feed = self.replication.deletions
        if feed is not None and feed.error:
            unread = Failure(
                "deletions", feed.error, feed.cause, is_table=False, reason=feed.reason
            )
            failures = [*failures, unread]
        problems = self.audit.problems(failures)
        quiet = frozenset[str]()
        if not problems:  # otherwise Dagster shows checks without a result as failed
            quiet = quiet_tables(self.context, self.dataset.connection, self.audit)
        news = [each for each in self.audit.complete if each.table not in quiet]
        with PartitionCounts(self.database, self.dataset) as counts:
            partitions = {each.table: self._partitions(each, counts) for each in news}
        self.audit.remember()
        for report in news:
            yield self._materialization(report, partitions[report.table])
        if quiet:
            yield self._observation(quiet)
        yield from self._unavailable()
        if problems:
            yield from self._unevaluated_checks()
            # After the results: Dagster drops those that follow an exception.
            raise run_failure(problems, self.audit.failures(failures))

    def _materialization(
        self, report: TableReport, partitions: Mapping[str, Mapping[str, Any]]
    ) -> dg.MaterializeResult:
        key, rows = self._key(report), self.audit.rows[report.table]
        self._record_partitions(report, partitions)
        metadata = run_metadata(report, rows, self.stages, problem=self.audit.problem(report))
        newest = self.context.partition_keys[-1]
        self.context.add_asset_metadata(metadata, asset_key=key, partition_key=newest)
        if report.mode == "full" or report.coverage_before.until is None:
            self.context.log_event(dg.AssetObservation(key, metadata={ROW_COUNT: rows}))
        checks = check_results(
            key, self.audit.findings[report.table], self.audit.checked_at(report.table)
        )
        return dg.MaterializeResult(
            asset_key=key, check_results=logged_or_planned(self.context, checks)
        )

    def _unavailable(self) -> Iterator[Result]:
        for name, message in self.replication.unavailable.items():
            seen, check = unavailable_events(self.dataset.connection, name, message)
            yield seen
            yield from logged_or_planned(self.context, [check])

    def _observation(self, quiet: Set[str]) -> dg.AssetObservation:
        reports = [each for each in self.audit.complete if each.table in quiet]
        return observation(
            self.context,
            self.dataset.connection,
            {
                each.table: plain_metadata(
                    run_metadata(each, self.audit.rows[each.table], self.stages)
                )
                for each in reports
            },
        )

    def _key(self, report: TableReport) -> dg.AssetKey:
        return table_key(self.dataset.connection, report.table)

    def _partitions(
        self, report: TableReport, counts: PartitionCounts
    ) -> Mapping[str, Mapping[str, Any]]:
        """Counts the rows of the run's partitions, and of others that rows moved out of."""
        (table,) = [each for each in self.dataset.tables if each.name == report.table]
        memory = self.audit.memories.get(report.table)
        if memory is None:  # the checks failed
            return {}
        earlier = earlier_partitions(self.context, report, self.dataset.partitions)
        keys = [*earlier, *self.context.partition_keys]
        is_counted = report.table in self.audit.counted
        try:
            return counts.metadata(table, report, memory, keys, is_counted=is_counted)
        except WarehouseError as error:  # the table is loaded: this must not fail the run
            self.context.log.warning("%s: its partitions were not counted: %s", table.name, error)
            return {}

    def _record_partitions(
        self, report: TableReport, partitions: Mapping[str, Mapping[str, Any]]
    ) -> None:
        key, keys = self._key(report), self.context.partition_keys
        earlier = earlier_partitions(self.context, report, self.dataset.partitions)
        for partition, metadata in partitions.items():
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
