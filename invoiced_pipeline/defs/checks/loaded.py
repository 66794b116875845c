"""What a dataset holds, read from its own state, for checks without a load."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.resources import InvoicedApi, StartDate
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.source import SOURCE_NAME
from invoiced_pipeline.settings import ConnectionSettings, remembered_host
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.dlt_load import remembered_state
from invoiced_pipeline.windows import Coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedTables:
    """The loaded tables of a dataset, in the shape of a replication that has just read them.

    Attributes:
        request: Names only the tables that are loaded.
        reports: Coverage and rejects, by table.
        coverages: Coverage of every table of the dataset.
        gaps: Columns and arrays that some rows were loaded without, by table.
    """

    request: ReplicationRequest
    reports: Mapping[str, TableReport]
    coverages: Mapping[str, Coverage]
    gaps: Mapping[str, frozenset[str]]


def audit_request(
    connection: ConnectionSettings,
    tables: tuple[Table, ...],
    invoiced_api: InvoicedApi,
    start_date: StartDate,
) -> ReplicationRequest:
    """Builds the request that `loaded_tables` takes; nothing is read from the API with it."""
    return ReplicationRequest(
        tables=tables,
        mode="full",
        start_date=start_date.instant,
        overlap=timedelta(minutes=connection.overlap_minutes),
        cadence=connection.partitions,
        connection=connection.name,
        host=remembered_host(invoiced_api.base_url),
    )


def loaded_tables(database: Database, dataset: str, request: ReplicationRequest) -> LoadedTables:
    """Reads what the dataset holds of a request's tables; the caller holds the writer's lock.

    Raises:
        InvoicedPipelineError: The warehouse cannot be read, or the dataset holds another account's
            records.
    """
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
    return LoadedTables(
        request=replace(request, tables=tables),
        reports=reports,
        coverages=state.coverages(),
        gaps={table.name: state.gaps(table.name) for table in tables},
    )
