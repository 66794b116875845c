"""A sweep over a dataset, from the state it remembers to the load of the records it lacked."""

import logging
from collections.abc import Iterator, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from invoiced_pipeline.catalog import TABLES, Table
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.availability import NO_TABLE, is_any_readable
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.decode.batches import Batch, Batcher
from invoiced_pipeline.replication.rejects import Rejects, note_rejects
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.source import SOURCE_NAME, invoiced_source
from invoiced_pipeline.replication.sweep.report import SweepReport
from invoiced_pipeline.replication.sweep.table_sweep import SweepContext, TableSweep
from invoiced_pipeline.warehouse.deletion_marks import Marks
from invoiced_pipeline.warehouse.dlt_load import load, remembered_state

logger = logging.getLogger(__name__)


def sweep_dataset(
    client: InvoicedClient, request: ReplicationRequest, marks: Marks, *, max_share: float
) -> Mapping[str, SweepReport]:
    """Sweeps those tables of a request that the dataset holds; the caller holds the writer's lock.

    Args:
        client: Where to read.
        request: Which tables, whose, and from which start date on.
        marks: The dataset's rows, and where deletions are marked.
        max_share: The largest share of a table's rows that may be marked.

    Raises:
        DatasetMismatchError: The dataset is not this connection's: nothing was marked.
        WarehouseError: There is nothing to sweep, or the load failed.
    """
    pipeline = marks.database.pipeline(marks.dataset)
    dataset = DatasetState(remembered_state(pipeline, marks.database, SOURCE_NAME))
    dataset.check_owner(request)
    tables = tuple(table for table in request.tables if dataset.columns(table.name) is not None)
    if tables and not any(table.is_swept for table in tables):
        return {}
    tables = tuple(table for table in tables if table.is_swept)
    if not tables:
        message = f"There is nothing to sweep in {marks.dataset}: run invoiced-pipeline sync first"
        raise WarehouseError(message)
    request = replace(request, tables=tables)
    sweep = DatasetSweep(
        SweepContext(
            client=client, request=request, dataset=dataset, marks=marks, max_share=max_share
        )
    )
    sweep.compare()
    if sweep.is_lacking:
        load(invoiced_source(sweep), pipeline, marks.database)
    return sweep.reports


class DatasetSweep:
    """The sweep of several tables; a source of the records that the warehouse lacks.

    Attributes:
        request: Which tables.
    """

    def __init__(self, context: SweepContext) -> None:
        self.request = context.request
        self._context = context
        self._sweeps = {table.name: TableSweep(table, context) for table in self.request.tables}

    @property
    def reports(self) -> dict[str, SweepReport]:
        """What the sweep did, by table."""
        return {name: sweep.report for name, sweep in self._sweeps.items()}

    @property
    def is_lacking(self) -> bool:
        """Whether any table lacks records."""
        return any(sweep.lacking for sweep in self._sweeps.values())

    def compare(self) -> None:
        """Compares all tables, customers first, and marks what is gone."""
        customers = self._sweeps.get("customers")
        threads = self._context.client.limit.maximum
        with ThreadPoolExecutor(threads, thread_name_prefix="invoiced") as executor:
            for sweep in self._sweeps.values():
                sweep.run(executor, customers.gone if customers is not None else frozenset())
        self._check_key()

    def batches(self, table: Table, state: MutableMapping[str, Any]) -> Iterator[Batch]:
        """Yields the records of one table that the warehouse lacks; called by the load.

        Raises:
            DatasetMismatchError: The dataset is not this connection's.
        """
        dataset = DatasetState(state)
        dataset.check_owner(self.request)
        batcher = Batcher(table, privacy=self.request.privacy)
        yield from self._sweeps[table.name].records(batcher)
        rejects = Rejects(table.name, dataset.rejected(table.name))
        rejects.meet(batcher.rejects)
        if rejects.has_news:
            fit = counted(len(rejects.met), "record fits", "records fit")
            logger.warning("%s: %s no column", table.name, fit)
        yield from note_rejects(rejects, dataset, self.request.run_id)

    def _check_key(self) -> None:
        """Makes refusals errors if the key can read no table of the connection."""
        reports = self.reports
        if not all(report.unavailable for report in reports.values()):
            return
        others = [each for each in TABLES if each.name in self.request.selected - set(reports)]
        if is_any_readable(self._context.client, others):
            return
        for report in reports.values():
            report.error = NO_TABLE.format(words=report.unavailable)
            report.cause, report.unavailable = NO_TABLE.format(words=report.cause), None
