"""The one load by dlt: its errors in this project's words, and how long its stages took."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from dlt import Pipeline
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.load_errors import load_error
from invoiced_pipeline.warehouse.replication_pipeline import NothingReadError

_STAGES = ("extract", "normalize", "load")

Run = Callable[[DltSource, Pipeline], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A load that is complete.

    Attributes:
        stages: Seconds of dlt's stages: extract, normalize and load.
        load_ids: dlt's ids of what was loaded; none if nothing was read.
    """

    stages: Mapping[str, float]
    load_ids: Sequence[str]


def load(
    source: DltSource, pipeline: Pipeline, database: Database, run: Run | None = None
) -> Loaded:
    """Extracts, normalizes and loads a source; what a source without rows remembers is committed.

    Args:
        source: What is loaded.
        pipeline: The database's pipeline.
        database: The warehouse.
        run: Runs the pipeline, such as inside a Dagster op; dlt itself by default.

    Raises:
        InvoicedPipelineError: The load failed; the text says why.
    """
    with _own_errors(database), suppress(NothingReadError):
        (run or _run)(source, pipeline)
    trace = pipeline.last_trace
    info = trace.last_load_info if trace else None
    return Loaded(
        stages={
            step.step: (step.finished_at - step.started_at).total_seconds()
            for step in (trace.steps if trace else ())
            if step.finished_at and step.step in _STAGES
        },
        load_ids=info.loads_ids if info else (),
    )


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
