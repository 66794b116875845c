"""One run's replication: reads all tables in parallel and hands Arrow batches to dlt."""

import gc
import logging
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from invoiced_pipeline.catalog import ALL_TABLES, Table
from invoiced_pipeline.garbage_collection import collect_rarely
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.reading.identifiers import Identifiers
from invoiced_pipeline.invoiced.reading.table_reader import TableReader
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.availability import Availability
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.decode.batches import Batch
from invoiced_pipeline.replication.deletions.context import DeletionContext
from invoiced_pipeline.replication.deletions.feed import DeletionFeed
from invoiced_pipeline.replication.hashed_columns import redact_loaded_rows
from invoiced_pipeline.replication.package import Package
from invoiced_pipeline.replication.replaced_rows import ReplacedRows
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.table.run_context import RunContext
from invoiced_pipeline.replication.table.table_context import TableContext
from invoiced_pipeline.replication.table.table_run import TableRun
from invoiced_pipeline.warehouse.deletion_marks import Marks
from invoiced_pipeline.warehouse.row_redaction import RowRedactor
from invoiced_pipeline.windows import Coverage

logger = logging.getLogger(__name__)

_SWITCH_SECONDS = 0.0005
"""How long the thread that types records may run while request threads wait for the interpreter.

With Python's default of 5 ms, a dozen requests in flight wait longer for that thread than for the
API: 300,000 records took 65 s instead of 52 s (measured, 100 ms latency, two cores).
"""


class Replication:
    """Reads what a request asks for; `reports` holds the outcome by table.

    A large first load is read in several packages: see `load_replication`.

    Attributes:
        request: What to read.
        reports: The outcome by table.
        gaps: Columns and arrays that rows were loaded without in earlier runs, by table.
        coverages: The dataset's coverage by table, including tables that are not read.
        deletions: The run's deletions; None if they are ignored.

    Args:
        client: Where to read.
        request: What to read.
        marks: Where deletions are marked; None ignores them.
        redactor: Redacts rows loaded before their columns were set to be hashed or dropped.
        replaced: Looks up rows before the load replaces them; None if nobody asks for it.
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
        self._executor = ThreadPoolExecutor(client.limit.maximum, thread_name_prefix="invoiced")
        self._switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._collection = gc.get_threshold()
        collect_rarely()
        self._readers: dict[str, TableReader] = {}
        self._runs: dict[str, TableRun] = {}
        self._dataset = DatasetState({})
        self.deletions = self._deletion_feed(marks)
        self._context = RunContext(
            client=client,
            executor=self._executor,
            request=request,
            availability=Availability(client, self.reports, request.selected),
            deletions=self.deletions,
            package=Package(),
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
        """Stops reading: requests that wait for a retry give up, those in flight finish."""
        self._client.close()
        self._executor.shutdown(cancel_futures=True)
        sys.setswitchinterval(self._switch_interval)
        gc.set_threshold(*self._collection)

    def batches(self, table: Table, state: MutableMapping[str, Any]) -> Iterator[Batch | None]:
        """Yields one table's batches of one package, and notes its coverage at the end.

        Yields None while no page has arrived, so that dlt turns to the next table.

        An error of one table must not stop the others, but dlt would abort the whole extract: the
        error is kept in the table's report instead. What was read until then is loaded, and the
        coverage stays as it was.

        Raises:
            DatasetMismatchError: The dataset is not this connection's: nothing may be loaded.
            ConfigurationError: Its hashes were made with another salt: nothing may be loaded.
            WarehouseError: Rows loaded earlier could not be redacted.
        """
        self._dataset.bind(state)
        self._begin(self._dataset)
        yield from self._runs[table.name].batches()

    @property
    def has_ended(self) -> bool:
        """Whether all tables have been read, or have failed."""
        return bool(self._runs) and all(run.has_ended for run in self._runs.values())

    def end_package(self) -> None:
        """Notes that the package is committed; tables that have not ended go on in the next one."""
        self._context.package.begin()
        for name, run in self._runs.items():
            report = self.reports[name]
            report.committed_rows, report.is_committed = report.rows, run.has_ended

    @property
    def unavailable(self) -> dict[str, str]:
        """The API's refusals of tables that the account does not have, by table."""
        reports = self.reports.items()
        return {name: report.unavailable for name, report in reports if report.unavailable}

    @property
    def listed(self) -> Mapping[str, Identifiers]:
        """What a full refresh found on the lists of all parents, by table."""
        return self._context.listed

    def _begin(self, dataset: DatasetState) -> None:
        """Starts reading all tables when the first of them is asked for."""
        if self._readers:
            return
        dataset.check_owner(self.request)
        redact_loaded_rows(dataset, self.request, self._redactor)
        dataset.go_back()
        self.coverages = dataset.coverages()
        self.gaps = {each.name: dataset.gaps(each.name) for each in ALL_TABLES}
        if self.deletions is not None:
            self.deletions.begin(dataset)
        for table in self.request.tables:
            report = self.reports[table.name]
            report.coverage_before = report.coverage = dataset.coverage(table.name)
            partial = dataset.partial_read(table.name)
            report.windows = self.request.windows(table, report.coverage, partial)
            report.warning = self.deletions.warning if self.deletions is not None else None
            reader = TableReader(
                self._client,
                table,
                report.windows,
                self._executor,
                report.tally,
                visits=self.request.visits(
                    table,
                    report.coverage,
                    dataset.partial_visit(table.name),
                    dataset.reject_parents(table.name),
                ),
            )
            self._readers[table.name] = reader
            context = TableContext(table=table, run=self._context, dataset=dataset, report=report)
            self._runs[table.name] = TableRun(context, reader)
        for reader in self._readers.values():
            reader.begin()

    def _count_deleted(self, counts: Counter[str]) -> None:
        for name, rows in counts.items():
            if name in self.reports:
                self.reports[name].deleted += rows
            logger.info("%s: %s deleted in Invoiced", name, counted(rows, "row"))
