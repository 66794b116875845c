"""The retry of rejects: records that fitted no column in earlier runs are asked for again."""

from collections.abc import Iterator
from functools import partial

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.exceptions import RejectLimitError
from invoiced_pipeline.invoiced.reading.single_record import record_pages
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.decode.batches import Batch, Batcher
from invoiced_pipeline.replication.reject_limit import reject_limit
from invoiced_pipeline.replication.rejects import Rejects, note_rejects
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.table.run_context import RunContext


class RejectRetry:
    """Asks again for one table's rejects, and keeps those that still fit no column.

    Args:
        table: Which table.
        batcher: Types the records.
        context: The run.
        dataset: What the dataset remembers.
        report: The table's report.
    """

    def __init__(
        self,
        table: Table,
        batcher: Batcher,
        context: RunContext,
        dataset: DatasetState,
        report: TableReport,
    ) -> None:
        self._table = table
        self._batcher = batcher
        self._context = context
        self._dataset = dataset
        self._report = report
        self._rejects = Rejects(table.name, dataset.rejected(table.name))

    def batches(self) -> Iterator[Batch]:
        """Yields former rejects that fit now; call it once the windows are read.

        Raises:
            RejectLimitError: More was rejected than can be asked for again.
        """
        self._rejects.meet(self._batcher.rejects)
        self._rejects.forget_nameless()
        limit = reject_limit(self._rejects, self._report.rows, self._context.request.reject_share)
        self._report.alarm = limit.alarm
        yield from self._ask_again()
        if limit.error:
            raise RejectLimitError(limit.error)

    def note_loaded(self, batch: Batch) -> None:
        """Notes that the records of a batch fit."""
        if self._rejects.has_known:
            self._rejects.fit(batch.rows[self._table.primary_key].to_pylist())

    def keep(self) -> Iterator[Batch]:
        """Yields the rows of `_rejected`, and notes the ids to ask for in the next run."""
        self._rejects.meet(self._batcher.rejects)
        self._report.rejected = len(self._rejects.met)
        yield from note_rejects(self._rejects, self._dataset, self._context.request.run_id)

    def _ask_again(self) -> Iterator[Batch]:
        """Asks for rejects that did not come along with the windows."""
        due = self._rejects.due()
        fetch = partial(record_pages, self._context.client, self._table, tally=self._report.tally)
        for pages in self._context.executor.map(fetch, due):
            for page in pages:
                yield from self._batcher.add(page)
            yield from self._batcher.take_versions()
        self._rejects.meet(self._batcher.rejects)
        self._rejects.leave(due)
