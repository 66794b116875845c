"""One run's replication: reads all tables side by side and hands Arrow batches to dlt."""

import logging
import sys
from collections import Counter
from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from invoiced_pipeline.catalog import TABLES, Table
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.reading.table_reading import Reading
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.availability import Availability
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.decode.batches import Batch
from invoiced_pipeline.replication.deletions.context import DeletionContext
from invoiced_pipeline.replication.deletions.feed import DeletionFeed
from invoiced_pipeline.replication.hashed_columns import redact_loaded_rows
from invoiced_pipeline.replication.replaced_rows import ReplacedRows
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.table.run_context import RunContext
from invoiced_pipeline.replication.table.table_run import TableRun
from invoiced_pipeline.warehouse.deletion_marks import Marks
from invoiced_pipeline.warehouse.row_redaction import RowRedactor
from invoiced_pipeline.windows import Coverage

logger = logging.getLogger(__name__)

_SWITCH_SECONDS = 0.0005
"""How long the thread that types records may keep those waiting that have an answer to take.

With Python's 5 ms, a dozen requests in flight spend longer waiting for it than for the API: 65 s
became 52 s for 300,000 records (measured, 100 ms latency, two cores).
"""


class Replication:
    """Reads what a request asks for; `reports` tells what came of it, table by table.

    Attributes:
        request: What is asked for.
        reports: Counts of every table.
        gaps: Columns and arrays that rows of every table were loaded without before.
        coverages: What the dataset covers of every table, those not asked for included.

    Args:
        client: Where to read.
        request: What to read.
        marks: Where deletions are noted; None leaves them alone.
        redactor: Clears rows loaded before columns were hashed or dropped.
        replaced: Looks up rows before they are replaced; without it that is not known.
    """

    def __init__(
        self,
        client: InvoicedClient,
        request: ReplicationRequest,
        marks: Marks | None = None,
        redactor: RowRedactor | None = None,
        *,
        replaced: ReplacedRows | None = None,
    ) -> None:
        self.request = request
        self.reports = {
            table.name: TableReport(table.name, request.mode_of(table)) for table in request.tables
        }
        self.coverages: dict[str, Coverage] = {}
        self.gaps: dict[str, frozenset[str]] = {}
        self._client = client
        self._redactor = redactor
        self._executor = ThreadPoolExecutor(client.limit.capacity, thread_name_prefix="invoiced")
        self._switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._readings: dict[str, Reading] = {}
        self.deletions = self._deletion_feed(marks)
        self._context = RunContext(
            client=client,
            executor=self._executor,
            request=request,
            availability=Availability(client, self.reports, request.selected),
            deletions=self.deletions,
            replaced=replaced,
        )

    def _deletion_feed(self, marks: Marks | None) -> DeletionFeed | None:
        if marks is None:
            return None
        return DeletionFeed(
            DeletionContext(
                client=self._client,
                request=self.request,
                marks=marks,
                executor=self._executor,
                count=self._count_deleted,
            )
        )

    def close(self) -> None:
        """Ends the reading: requests that wait for another try give up, those under way finish."""
        self._client.close()
        self._executor.shutdown(cancel_futures=True)
        sys.setswitchinterval(self._switch_interval)

    def batches(self, table: Table, state: MutableMapping[str, Any]) -> Iterator[Batch | None]:
        """Yields one table's batches and notes its coverage at the end.

        None says that nothing has arrived yet: dlt then turns to the next table.

        An error of one table must not stop the others, and dlt would abort the whole extract: it
        is kept in the table's report. What was read until then is loaded; the coverage stays.

        Raises:
            DatasetMismatchError: The dataset is not this connection's: nothing may be loaded.
            ConfigurationError: Its hashes are of another salt: nothing may be loaded.
            WarehouseError: Clear values could not be taken out of its rows.
        """
        dataset = DatasetState(state)
        self._begin(dataset)
        reading, report = self._readings[table.name], self.reports[table.name]
        yield from TableRun(table, reading, self._context, dataset, report).batches()

    @property
    def unavailable(self) -> dict[str, str]:
        """What the API says of the tables that the account does not have, by table."""
        reports = self.reports.items()
        return {name: report.unavailable for name, report in reports if report.unavailable}

    def _begin(self, dataset: DatasetState) -> None:
        """Starts reading all tables, the first time any of them is asked for."""
        if self._readings:
            return
        dataset.check_owner(self.request)
        redact_loaded_rows(dataset, self.request, self._redactor)
        dataset.go_back()
        self.coverages = dataset.coverages()
        self.gaps = {each.name: dataset.gaps(each.name) for each in TABLES}
        if self.deletions is not None:
            self.deletions.begin(dataset)
        for table in self.request.tables:
            report = self.reports[table.name]
            report.coverage_before = report.coverage = dataset.coverage(table.name)
            report.windows = self.request.windows(table, report.coverage)
            report.warning = self.deletions.warning if self.deletions is not None else None
            reading = Reading(self._client, table, report.windows, self._executor, report.tally)
            self._readings[table.name] = reading
        for reading in self._readings.values():
            reading.begin()

    def _count_deleted(self, counts: Counter[str]) -> None:
        for name, rows in counts.items():
            if name in self.reports:
                self.reports[name].deleted += rows
            logger.info("%s: %s deleted in Invoiced", name, counted(rows, "row"))
