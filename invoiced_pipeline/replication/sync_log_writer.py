"""Writes what a sync or a sweep did into `_sync_log`, also when it failed."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

from invoiced_pipeline.exceptions import DatasetMismatchError, InvoicedPipelineError
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.sweep.report import SweepReport
from invoiced_pipeline.replication.sync_log import (
    LoadOutcome,
    SkippedStart,
    skipped_entry,
    sweep_log_entries,
    sync_log_entries,
)
from invoiced_pipeline.warehouse.check_memory import check_whole_next
from invoiced_pipeline.warehouse.database import Database, Session
from invoiced_pipeline.warehouse.dataset import row_counts
from invoiced_pipeline.warehouse.system_tables import write_sync_log

logger = logging.getLogger(__name__)


class SyncLogWriter:
    """The `_sync_log` of one run; the caller holds the writer's lock.

    Args:
        database: The warehouse.
        dataset: Where the log is.
        request: What the run replicates, or sweeps.
    """

    def __init__(self, database: Database, dataset: str, request: ReplicationRequest) -> None:
        self._database = database
        self._dataset = dataset
        self._request = request

    @contextmanager
    def recording(
        self,
        reports: Mapping[str, TableReport],
        *,
        skipped: Callable[[], Sequence[SkippedStart]] = tuple,
        document: Callable[[Session], None] | None = None,
    ) -> Iterator[None]:
        """Writes the log once the block ends, and raises the block's error after that.

        A log that cannot be written is a warning: the outcome of the load matters more.

        Args:
            reports: The run's tables; filled inside the block.
            skipped: Gives scheduled starts that were skipped, which the log also has.
            document: Called after a successful block, in the session that wrote the log.
        """
        failure: InvoicedPipelineError | None = None
        try:
            yield
        except DatasetMismatchError:
            raise  # the dataset is another account's, and so is its log
        except InvoicedPipelineError as error:
            failure = error
        try:
            outcome = LoadOutcome(
                ended_at=datetime.now(UTC),
                rows_after=self._rows_after(reports),
                error=str(failure) if failure else None,
            )
            entries = [
                *(skipped_entry(self._request.connection, skip) for skip in skipped()),
                *sync_log_entries(self._request, reports, outcome),
            ]
            document = None if failure else document
            write_sync_log(self._database, self._dataset, entries, document)
        except Exception as error:  # noqa: BLE001 - no error of the log may hide the outcome
            logger.warning("_sync_log could not be written: %s", error)
        if failure is not None:
            raise failure

    def write_sweep(self, reports: Mapping[str, SweepReport]) -> None:
        """Appends what a sweep did; the next checks of its tables look at all rows.

        Raises:
            WarehouseError: The log cannot be written.
        """
        entries = sweep_log_entries(self._request, reports, datetime.now(UTC))
        then = partial(check_whole_next, tables=list(reports))
        write_sync_log(self._database, self._dataset, entries, then)

    def _rows_after(self, reports: Mapping[str, TableReport]) -> Mapping[str, int]:
        """Counts the tables that were counted before the load: others say what is new in them."""
        names = [name for name, each in reports.items() if each.rows_before is not None]
        return row_counts(self._database, self._dataset, names) if names else {}
