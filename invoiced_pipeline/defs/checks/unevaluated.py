"""Results for the checks that a failed run did not evaluate, from what the warehouse holds.

In a run that fails, Dagster shows every planned check without a result as failed. But a check that
was not evaluated did not fail: it gets a result that says how old its data is.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.checks.audit import Audit
from invoiced_pipeline.defs.checks.loaded import LoadedTables, audit_request, loaded_tables
from invoiced_pipeline.defs.checks.specs import check_results
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.exceptions import InvoicedPipelineError, WarehouseBusyError
from invoiced_pipeline.replication.checks import Check, Finding, checks_of
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.warehouse.database import Database

_NOT_COMPARED = "Not compared in this run; "

_MOST_EXECUTIONS = 20
"""How many executions of a check are searched for its last result."""


def checks_after(
    error: InvoicedPipelineError,
    context: dg.AssetExecutionContext,
    dataset: ReplicatedDataset,
    tables: tuple[Table, ...],
) -> Iterator[dg.AssetCheckResult]:
    """Yields results for all checks of a run that ended with `error` and loaded nothing.

    There are none while another run writes, or when the warehouse cannot be read.
    """
    if isinstance(error, WarehouseBusyError):
        return
    try:
        invoiced_api, start_date, warehouse = dataset.keys.found_in(context.resources)
        request = audit_request(dataset.connection, tables, invoiced_api, start_date)
        checks = UnevaluatedChecks(context, dataset, warehouse.database)
        if not warehouse.database.exists():  # taking the lock would create a file
            yield from checks.of_missing(tables)
            return
        with warehouse.writer(dataset.name, context.run.run_id, context.instance):
            yield from checks.of_unloaded(request)
    except InvoicedPipelineError as unread:
        context.log.info("The checks were not evaluated: %s", unread)


class UnevaluatedChecks:
    """Yields results for the selected checks that have none.

    Args:
        context: The run's; it selects the checks.
        dataset: Whose tables are checked.
        database: The warehouse.
        evaluated: Checks that have a result already.
    """

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        dataset: ReplicatedDataset,
        database: Database,
        evaluated: Set[dg.AssetCheckKey] = frozenset(),
    ) -> None:
        self._context = context
        self._dataset = dataset
        self._database = database
        self._wanted = context.selected_asset_check_keys - evaluated

    def of_unloaded(self, request: ReplicationRequest) -> Iterator[dg.AssetCheckResult]:
        """Checks the tables that this run did not load; the caller holds the writer's lock.

        Raises:
            InvoicedPipelineError: The warehouse cannot be read.
        """
        if not request.tables:
            return
        loaded = loaded_tables(self._database, self._dataset.name, request)
        audit = Audit(self._database, self._dataset.connection, loaded, {}, whole=False)
        audit.note_failed()
        for table in loaded.request.tables:
            yield from self._of_loaded_before(table, loaded, audit)
        missing = [each for each in request.tables if each.name not in audit.rows]
        yield from self.of_missing(missing)
        yield from self.not_compared(loaded.request.tables, audit)

    def of_missing(self, tables: Sequence[Table]) -> Iterator[dg.AssetCheckResult]:
        """Warns for every check of tables that were never loaded; they do not fail yet."""
        for table in tables:
            text = "nothing is loaded yet: materialize the table"
            findings = [Finding(check, passed=False, text=text) for check in checks_of(table)]
            yield from self._selected(table, findings)

    def not_compared(self, tables: Sequence[Table], audit: Audit) -> Iterator[dg.AssetCheckResult]:
        """Repeats the last results of checks that had nothing to compare in this run."""
        loaded = {report.table for report in audit.complete}
        for table in tables:
            if table.name not in loaded:
                continue
            found = {finding.check for finding in audit.findings[table.name]}
            for check in checks_of(table):
                if check not in found:
                    yield from self._selected(table, [self._last_result(table, check)])

    def _of_loaded_before(
        self, table: Table, loaded: LoadedTables, audit: Audit
    ) -> Iterator[dg.AssetCheckResult]:
        until = loaded.reports[table.name].coverage.until
        held = "This run did not load the table"
        more: dict[str, dg.MetadataValue] = {}
        if until is not None:
            held += f"; the warehouse holds it up to {until:%Y-%m-%d %H:%M} UTC"
            age = (datetime.now(UTC) - until).total_seconds()
            more = {
                "held_until": dg.MetadataValue.timestamp(until),
                "age_hours": dg.MetadataValue.float(round(max(age, 0.0) / 3600, 2)),
            }
        findings = [
            replace(finding, text=f"{held}: {finding.text}")
            for finding in audit.findings[table.name]
        ]
        yield from self._selected(table, findings, more)

    def _last_result(self, table: Table, check: Check) -> Finding:
        """Returns a check's last result, with its time; passed if it never had one."""
        key = dg.AssetCheckKey(self._dataset.asset_key(table), check)
        history = self._context.instance.event_log_storage.get_asset_check_execution_history
        for record in history(key, limit=_MOST_EXECUTIONS):
            event = record.event.dagster_event if record.event else None
            if record.event is None or event is None or not event.event_specific_data:
                continue
            if event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
                continue
            last = event.asset_check_evaluation_data
            at = datetime.fromtimestamp(record.event.timestamp, UTC)
            text = (last.description or "").removeprefix(_NOT_COMPARED)
            if not text.startswith("at "):
                text = f"at {at:%Y-%m-%d %H:%M} UTC: {text}"
            is_error = last.severity is dg.AssetCheckSeverity.ERROR
            return Finding(check, last.passed, f"{_NOT_COMPARED}{text}", is_error=is_error)
        return Finding(check, passed=True, text="There was nothing to compare yet.")

    def _selected(
        self,
        table: Table,
        findings: Sequence[Finding],
        more: dict[str, dg.MetadataValue] | None = None,
    ) -> Iterator[dg.AssetCheckResult]:
        key = self._dataset.asset_key(table)
        for result in check_results(key, findings, more):
            if dg.AssetCheckKey(key, str(result.check_name)) in self._wanted:
                yield result
