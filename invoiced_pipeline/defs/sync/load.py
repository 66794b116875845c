"""A load whose outcome is written into `_sync_log`, also when it fails."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from invoiced_pipeline.exceptions import (
    DatasetMismatchError,
    InvoicedPipelineError,
    WarehouseBusyError,
)
from invoiced_pipeline.warehouse.database import Database, Session

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.extract import DltSource

    from invoiced_pipeline.replication.replication import Replication
    from invoiced_pipeline.replication.sync_log import SkippedStart

logger = logging.getLogger(__name__)

_STAGES = ("extract", "normalize", "load")


class LoggedLoad:
    """One run's load into one dataset.

    Args:
        database: The warehouse.
        dataset: What is loaded.
        replication: What is read.
        skips: Asked, when the log is written, for starts that were left out; for none by default.
        document: Called after a load, in the session that wrote the log.
    """

    def __init__(
        self,
        database: Database,
        dataset: str,
        replication: "Replication",
        skips: "Callable[[], Sequence[SkippedStart]]" = tuple,
        document: Callable[[Session], None] | None = None,
    ) -> None:
        from invoiced_pipeline.warehouse.dataset import row_counts

        self._database = database
        self._dataset = dataset
        self._replication = replication
        self._skips = skips
        self._document = document
        self._names = [table.name for table in replication.request.tables]
        self._rows_before = row_counts(database, dataset, self._names)

    def run(self, load: "Callable[[DltSource, Pipeline], None]") -> Mapping[str, float]:
        """Runs `load`, then writes down what came of it.

        Returns:
            Seconds of dlt's stages: extract, normalize and load.

        Raises:
            InvoicedPipelineError: The load failed; the text says why.
        """
        from dlt.pipeline.exceptions import PipelineStepFailed

        from invoiced_pipeline.replication.source import invoiced_source
        from invoiced_pipeline.warehouse.failures import load_error

        pipeline = self._database.pipeline(self._dataset)
        try:
            load(invoiced_source(self._replication), pipeline)
        except PipelineStepFailed as error:
            failure = load_error(error, self._database)
            self._write(failure)
            raise failure from error
        except WarehouseBusyError as failure:  # raised before dlt's own step began
            self._write(failure)
            raise
        self._write(None)
        steps = pipeline.last_trace.steps if pipeline.last_trace else []
        return {
            step.step: (step.finished_at - step.started_at).total_seconds()
            for step in steps
            if step.finished_at and step.step in _STAGES
        }

    def _write(self, failure: InvoicedPipelineError | None) -> None:
        """Appends to the log; where that fails, what came of the load matters more."""
        from invoiced_pipeline.replication.sync_log import (
            LoadOutcome,
            skipped_entry,
            sync_log_entries,
        )
        from invoiced_pipeline.warehouse.dataset import row_counts
        from invoiced_pipeline.warehouse.system_tables import write_sync_log

        if isinstance(failure, DatasetMismatchError):
            return  # it is another account's, its log included
        try:
            outcome = LoadOutcome(
                ended_at=datetime.now(UTC),
                rows_before=self._rows_before,
                rows_after=row_counts(self._database, self._dataset, self._names),
                error=str(failure) if failure else None,
            )
            replication = self._replication
            connection = replication.request.connection
            entries = [
                *(skipped_entry(connection, skip) for skip in self._skips()),
                *sync_log_entries(replication.request, replication.reports, outcome),
            ]
            document = None if failure else self._document
            write_sync_log(self._database, self._dataset, entries, document)
        except Exception as error:  # noqa: BLE001 - of whatever kind, it must not hide the outcome
            logger.warning("_sync_log could not be written: %s", error)
