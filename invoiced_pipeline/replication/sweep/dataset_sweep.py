"""A sweep over a dataset, from what it remembers to the load of what it lacked."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.sweep.table_sweep import Sweep, SweepReport
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.dataset import remembered_state
from invoiced_pipeline.warehouse.deletion_marks import Marks
from invoiced_pipeline.warehouse.failures import load_error

if TYPE_CHECKING:
    from dlt import Pipeline


def sweep_dataset(  # noqa: PLR0913 - each says one thing, two by name
    client: InvoicedClient,
    request: ReplicationRequest,
    database: Database,
    dataset: str,
    marks: Marks,
    *,
    max_share: float,
) -> Mapping[str, SweepReport]:
    """Sweeps the tables of a request that the dataset holds; the caller holds the writer's lock.

    Args:
        client: Where to read.
        request: Which tables, whose, and from which start date on.
        database: The warehouse.
        dataset: The schema.
        marks: Where deletions are noted.
        max_share: The largest share of a table's rows that may be marked.

    Raises:
        DatasetMismatchError: The dataset is not this connection's: nothing was marked.
        WarehouseError: There is nothing to sweep, or the load failed.
    """
    from invoiced_pipeline.replication.source import SOURCE_NAME

    pipeline = database.pipeline(dataset)
    remembered = DatasetState(remembered_state(pipeline, database, SOURCE_NAME))
    remembered.check_owner(request)
    tables = tuple(table for table in request.tables if remembered.columns(table.name) is not None)
    if not tables:
        message = f"There is nothing to sweep in {dataset}: run invoiced-pipeline sync first"
        raise WarehouseError(message)
    request = replace(request, tables=tables)

    sweep = Sweep(client, request, remembered, marks, max_share=max_share)
    return sweep.run(lambda lacking: _load(pipeline, lacking, database))


def _load(pipeline: "Pipeline", sweep: Sweep, database: Database) -> None:
    from dlt.pipeline.exceptions import PipelineStepFailed

    from invoiced_pipeline.replication.source import invoiced_source

    try:
        info = pipeline.run(invoiced_source(sweep), loader_file_format="parquet")
        info.raise_on_failed_jobs()
    except PipelineStepFailed as error:
        raise load_error(error, database) from error
