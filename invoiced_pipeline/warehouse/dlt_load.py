"""The one load by dlt: its errors in this project's words, and how long its stages took."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dlt import Pipeline
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.load_errors import load_error

_STAGES = ("extract", "normalize", "load")

Run = Callable[[DltSource, Pipeline], None]


def load(
    source: DltSource, pipeline: Pipeline, database: Database, run: Run | None = None
) -> Mapping[str, float]:
    """Extracts, normalizes and loads a source.

    Args:
        source: What is loaded.
        pipeline: The database's pipeline.
        database: The warehouse.
        run: Runs the pipeline, such as inside a Dagster op; dlt itself by default.

    Returns:
        Seconds of dlt's stages: extract, normalize and load.

    Raises:
        InvoicedPipelineError: The load failed; the text says why.
    """
    with _own_errors(database):
        (run or _run)(source, pipeline)
    steps = pipeline.last_trace.steps if pipeline.last_trace else []
    return {
        step.step: (step.finished_at - step.started_at).total_seconds()
        for step in steps
        if step.finished_at and step.step in _STAGES
    }


def remembered_state(pipeline: Pipeline, database: Database, source: str) -> dict[str, Any]:
    """Returns what the dataset remembers for a source, as last committed; empty for a new dataset.

    Raises:
        WarehouseError: The destination cannot be read.
    """
    if not database.exists():
        return {}
    with _own_errors(database):
        pipeline.drop()
        pipeline.sync_destination()
    return dict(pipeline.state.get("sources", {}).get(source, {}))


def _run(source: DltSource, pipeline: Pipeline) -> None:
    pipeline.run(source, loader_file_format="parquet").raise_on_failed_jobs()


@contextmanager
def _own_errors(database: Database) -> Iterator[None]:
    """Raises this project's error for a failed step of dlt."""
    try:
        yield
    except PipelineStepFailed as error:
        raise load_error(error, database) from error
