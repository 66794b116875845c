"""Checks on their own, over all that is loaded: what the UI's Execute buttons ask for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.checks.audit import Audit
from invoiced_pipeline.defs.checks.specs import check_results
from invoiced_pipeline.defs.connection_keys import ConnectionKeys
from invoiced_pipeline.defs.names import asset_key
from invoiced_pipeline.defs.resources import InvoicedApi, StartDate
from invoiced_pipeline.replication.failure_list import Failure
from invoiced_pipeline.settings import ConnectionSettings, remembered_host
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.windows import Coverage

if TYPE_CHECKING:
    from invoiced_pipeline.replication.report import TableReport
    from invoiced_pipeline.replication.request import ReplicationRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a dataset holds, for an audit: as a replication that has read all of it would say.

    Attributes:
        request: The tables that are loaded.
        reports: Their coverage and rejects.
        coverages: What the dataset covers of every table.
        gaps: Columns and arrays that rows of every table were loaded without.
    """

    request: "ReplicationRequest"
    reports: "Mapping[str, TableReport]"
    coverages: Mapping[str, Coverage]
    gaps: Mapping[str, frozenset[str]]


def run_checks(
    context: dg.AssetExecutionContext,
    connection: ConnectionSettings,
    tables: Sequence[Table],
    keys: ConnectionKeys,
    *,
    wait: bool,
) -> Iterator[dg.AssetCheckResult]:
    """Evaluates the selected checks; nothing is read but counts, and nothing loaded.

    Unlike those of a sync, which count what it read, the API's counts are of all that is covered.

    Args:
        context: The run's; it selects checks and no assets.
        connection: Whose tables.
        tables: Those that it selects.
        keys: Its resources.
        wait: Whether to wait for another run that writes the warehouse.

    Raises:
        InvoicedPipelineError: The warehouse is busy, or holds another account's records.
        dagster.Failure: A table is not loaded, or a check says that the replica is wrong.
    """
    from invoiced_pipeline.replication.api_counts import api_counts

    dataset, wanted = connection.dataset, context.selected_asset_check_keys
    checked = {key.asset_key for key in wanted}
    chosen = tuple(table for table in tables if asset_key(dataset, table) in checked)
    invoiced_api, start_date, warehouse = keys.found_in(context.resources)
    request = request_for_checks(connection, chosen, invoiced_api, start_date)
    with (
        invoiced_api.client() as client,
        # What the dataset remembers is read into the working folder of loads.
        warehouse.writer(dataset, context.run.run_id, context.instance, wait=wait),
    ):
        loaded = loaded_tables(warehouse.database, dataset, request)
        counted = api_counts(client, loaded.request, loaded.reports)
        audit = Audit(warehouse.database, connection, loaded, counted)
    for table in loaded.request.tables:
        key = asset_key(dataset, table)
        for result in check_results(key, audit.findings[table.name]):
            if dg.AssetCheckKey(key, str(result.check_name)) in wanted:
                yield result
    missing = [table.name for table in chosen if table not in loaded.request.tables]
    nothing = "nothing is loaded yet, materialize first"
    others = [Failure(", ".join(missing), nothing, is_table=False)] if missing else []
    if problems := audit.problems(others):
        # Last, for whatever is raised before a yield takes the results after it along.
        raise dg.Failure(problems, allow_retries=False)


def request_for_checks(
    connection: ConnectionSettings,
    tables: tuple[Table, ...],
    invoiced_api: InvoicedApi,
    start_date: StartDate,
) -> "ReplicationRequest":
    """What an audit of some tables is asked for, when nothing is loaded."""
    from invoiced_pipeline.replication.request import ReplicationRequest

    return ReplicationRequest(
        tables=tables,
        mode="full",
        start_date=start_date.instant,
        overlap=timedelta(minutes=connection.overlap_minutes),
        cadence=connection.partitions,
        connection=connection.name,
        host=remembered_host(invoiced_api.base_url),
    )


def loaded_tables(database: Database, dataset: str, request: "ReplicationRequest") -> Loaded:
    """What a dataset holds of the tables of a request; the caller holds the writer's lock.

    Raises:
        InvoicedPipelineError: The warehouse cannot be read, or holds another account's records.
    """
    from invoiced_pipeline.replication.dataset_state import DatasetState
    from invoiced_pipeline.replication.report import TableReport
    from invoiced_pipeline.replication.source import SOURCE_NAME
    from invoiced_pipeline.warehouse.dlt_load import remembered_state

    state = DatasetState(remembered_state(database.pipeline(dataset), database, SOURCE_NAME))
    state.check_owner(request)
    tables = tuple(table for table in request.tables if state.columns(table.name) is not None)
    reports = {
        table.name: TableReport(
            table.name,
            "full",
            covered=state.coverage(table.name).windows,
            coverage=state.coverage(table.name),
            rejected=len(state.rejected(table.name)),
        )
        for table in tables
    }
    return Loaded(
        request=replace(request, tables=tables),
        reports=reports,
        coverages=state.coverages(),
        gaps={table.name: state.gaps(table.name) for table in tables},
    )
