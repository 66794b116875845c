"""The retry of rejects: records that fitted no column in earlier runs are read again."""

from collections.abc import Iterator
from functools import partial

from invoiced_pipeline.exceptions import RejectLimitError
from invoiced_pipeline.invoiced.reading.single_record import record_pages
from invoiced_pipeline.replication.decode.batches import Batch, Batcher
from invoiced_pipeline.replication.reject_limit import reject_limit
from invoiced_pipeline.replication.rejects import Rejects, note_rejects
from invoiced_pipeline.replication.table.table_context import TableContext


class RejectRetry:
    """Reads the rejects of one table again, and keeps those that still fit no column.

    Args:
        context: The table.
        batcher: Types the records.
    """

    def __init__(self, context: TableContext, batcher: Batcher) -> None:
        self._context = context
        self._batcher = batcher
        name = context.table.name
        self._rejects = Rejects(name, context.dataset.rejected(name))

    def batches(self) -> Iterator[Batch]:
        """Yields former rejects that fit now; call it once the windows are read.

        Raises:
            RejectLimitError: More was rejected than can be read again.
        """
        self._rejects.meet(self._batcher.rejects)
        self._rejects.forget_nameless()
        report, request = self._context.report, self._context.run.request
        limit = reject_limit(self._rejects, report.rows, request.reject_share)
        report.alarm = limit.alarm
        yield from self._read_again()
        if limit.error:
            raise RejectLimitError(limit.error)

    @property
    def is_over_limit(self) -> bool:
        """Whether so much was rejected that windows must be read again."""
        return bool(reject_limit(self._rejects, 0, 1.0).error)

    def note_loaded(self, batch: Batch) -> None:
        """Notes that the records of a batch fit."""
        if self._rejects.has_known:
            self._rejects.fit(batch.rows[self._context.table.primary_key].to_pylist())

    def keep(self) -> Iterator[Batch]:
        """Yields the rows of `_rejected`, and notes the ids to read again in the next run.

        Call it at the end of each package.
        """
        self._rejects.meet(self._batcher.rejects)
        context = self._context
        context.report.rejected = len(self._rejects.met)
        yield from note_rejects(self._rejects, context.dataset, context.run.request.run_id)

    def _read_again(self) -> Iterator[Batch]:
        """Reads the rejects that were not in the windows."""
        due = self._rejects.due()
        run, tally = self._context.run, self._context.report.tally
        fetch = partial(record_pages, run.client, self._context.table, tally=tally)
        for pages in run.executor.map(fetch, due):
            for page in pages:
                yield from self._batcher.add(page)
            yield from self._batcher.take_versions()
        self._rejects.meet(self._batcher.rejects)
        self._rejects.leave(due)
