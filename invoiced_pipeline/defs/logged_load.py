"""A load whose outcome is written into `_sync_log`, also when it fails."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from invoiced_pipeline.exceptions import DatasetMismatchError, InvoicedPipelineError

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.extract import DltSource

    from invoiced_pipeline.replication.replication import Replication

logger = logging.getLogger(__name__)

_STAGES = ("extract", "normalize", "load")


class LoggedLoad:
    """One run's load into one dataset."""

    def __init__(self, warehouse: Path, dataset: str, replication: "Replication") -> None:
        from invoiced_pipeline.warehouse.destination import row_counts

        self._warehouse = warehouse
        self._dataset = dataset
        self._replication = replication
        self._names = [table.name for table in replication.request.tables]
        self._rows_before = row_counts(warehouse, dataset, self._names)

    def run(self, load: "Callable[[DltSource, Pipeline], None]") -> Mapping[str, float]:
        """Runs `load`, then writes down what came of it.

        Returns:
            Seconds of dlt's stages: extract, normalize and load.

        Raises:
            InvoicedPipelineError: The load failed; the text says why.
        """
        from dlt.pipeline.exceptions import PipelineStepFailed

        from invoiced_pipeline.replication.source import invoiced_source
        from invoiced_pipeline.warehouse.destination import build_pipeline
        from invoiced_pipeline.warehouse.failures import load_error

        pipeline = build_pipeline(self._warehouse, self._dataset)
        try:
            load(invoiced_source(self._replication), pipeline)
        except PipelineStepFailed as error:
            failure = load_error(error, self._warehouse)
            self._write(pipeline, failure)
            raise failure from error
        self._write(pipeline, None)
        steps = pipeline.last_trace.steps if pipeline.last_trace else []
        return {
            step.step: (step.finished_at - step.started_at).total_seconds()
            for step in steps
            if step.finished_at and step.step in _STAGES
        }

    def _write(self, pipeline: "Pipeline", failure: InvoicedPipelineError | None) -> None:
        """Appends to the log; where that fails, what came of the load matters more."""
        from invoiced_pipeline.replication.sync_log import LoadOutcome, sync_log_entries
        from invoiced_pipeline.warehouse.destination import row_counts
        from invoiced_pipeline.warehouse.system_tables import write_sync_log

        if isinstance(failure, DatasetMismatchError):
            return  # it is another account's, its log included
        try:
            outcome = LoadOutcome(
                ended_at=datetime.now(UTC),
                rows_before=self._rows_before,
                rows_after=row_counts(self._warehouse, self._dataset, self._names),
                error=str(failure) if failure else None,
            )
            replication = self._replication
            entries = sync_log_entries(replication.request, replication.reports, outcome)
            write_sync_log(pipeline, entries)
        except Exception as error:  # noqa: BLE001 - of whatever kind, it must not hide the outcome
            logger.warning("_sync_log could not be written: %s", error)
