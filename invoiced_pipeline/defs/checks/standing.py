"""Checks of what a failed run did not load, against what the warehouse holds.

In a run that fails, Dagster shows every planned check without a result as failed. Not evaluated is
not failed: each gets a result, which says how old its data is.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.checks.audit import Audit
from invoiced_pipeline.defs.checks.execute import Loaded, loaded_tables, request_for_checks
from invoiced_pipeline.defs.checks.specs import check_results
from invoiced_pipeline.defs.connection_keys import ConnectionKeys
from invoiced_pipeline.defs.names import asset_key
from invoiced_pipeline.defs.resources import utc_now
from invoiced_pipeline.exceptions import InvoicedPipelineError, WarehouseBusyError
from invoiced_pipeline.replication.checks import Check, Finding, checks_of
from invoiced_pipeline.settings import ConnectionSettings
from invoiced_pipeline.warehouse.database import Database

if TYPE_CHECKING:
    from invoiced_pipeline.replication.request import ReplicationRequest

_NOT_COMPARED = "Not compared in this run; "

_MOST_EXECUTIONS = 20
"""Executions of a check that are looked at for its last result."""


def checks_after(
    error: InvoicedPipelineError,
    context: dg.AssetExecutionContext,
    connection: ConnectionSettings,
    tables: tuple[Table, ...],
    keys: ConnectionKeys,
) -> Iterator[dg.AssetCheckResult]:
    """The results of all checks of a run that ended with `error` and loaded nothing.

    There are none while another run writes, or where the warehouse cannot be read.
    """
    if isinstance(error, WarehouseBusyError):
        return
    try:
        invoiced_api, start_date, warehouse = keys.found_in(context.resources)
        request = request_for_checks(connection, tables, invoiced_api, start_date)
        standing = StandingChecks(context, connection, warehouse.database)
        if not warehouse.database.exists():  # then a lock would leave a file behind
            yield from standing.of_nothing(tables)
            return
        with warehouse.writer(connection.dataset, context.run.run_id, context.instance):
            yield from standing.of_unloaded(request)
    except InvoicedPipelineError as unread:
        context.log.info("the checks were not evaluated: %s", unread)


class StandingChecks:
    """Results of checks that a failed run has none for; only of those that it selects.

    Args:
        context: The run's.
        connection: Whose tables.
        database: The warehouse.
        known: Checks that have a result already.
    """

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        connection: ConnectionSettings,
        database: Database,
        known: Set[dg.AssetCheckKey] = frozenset(),
    ) -> None:
        self._context = context
        self._connection = connection
        self._database = database
        self._wanted = context.selected_asset_check_keys - known

    def of_unloaded(self, request: "ReplicationRequest") -> Iterator[dg.AssetCheckResult]:
        """The checks of tables that this run did not load; the caller holds the writer's lock.

        Raises:
            InvoicedPipelineError: The warehouse cannot be read.
        """
        if not request.tables:
            return
        loaded = loaded_tables(self._database, self._connection.dataset, request)
        audit = Audit(self._database, self._connection, loaded, {})
        for table in loaded.request.tables:
            yield from self._of_held(table, loaded, audit)
        yield from self.of_nothing([each for each in request.tables if each.name not in audit.rows])
        yield from self.not_compared(loaded.request.tables, audit)

    def of_nothing(self, tables: Sequence[Table]) -> Iterator[dg.AssetCheckResult]:
        """The checks of tables that were never loaded: a warning, for nothing can be wrong yet."""
        for table in tables:
            text = "nothing is loaded yet: materialize the table"
            findings = [Finding(check, passed=False, text=text) for check in checks_of(table)]
            yield from self._selected(table, findings)

    def not_compared(self, tables: Sequence[Table], audit: Audit) -> Iterator[dg.AssetCheckResult]:
        """Checks that had nothing to compare in this run, as their last results have them."""
        loaded = {report.table for report in audit.complete}
        for table in tables:
            if table.name not in loaded:
                continue
            found = {finding.check for finding in audit.findings[table.name]}
            for check in checks_of(table):
                if check not in found:
                    yield from self._selected(table, [self._last(table, check)])

    def _of_held(self, table: Table, loaded: Loaded, audit: Audit) -> Iterator[dg.AssetCheckResult]:
        until = loaded.reports[table.name].coverage.until
        held = "This run did not load the table"
        more: dict[str, dg.MetadataValue] = {}
        if until is not None:
            held += f"; the warehouse holds it up to {until:%Y-%m-%d %H:%M} UTC"
            age = (utc_now() - until).total_seconds()
            more = {
                "held_until": dg.MetadataValue.timestamp(until),
                "age_hours": dg.MetadataValue.float(round(max(age, 0.0) / 3600, 2)),
            }
        findings = [
            replace(finding, text=f"{held}: {finding.text}")
            for finding in audit.findings[table.name]
        ]
        yield from self._selected(table, findings, more)

    def _last(self, table: Table, check: Check) -> Finding:
        """The last result of a check, with its time; passed where there was never one."""
        key = dg.AssetCheckKey(asset_key(self._connection.dataset, table), check)
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
        key = asset_key(self._connection.dataset, table)
        for result in check_results(key, findings, more):
            if dg.AssetCheckKey(key, str(result.check_name)) in self._wanted:
                yield result
