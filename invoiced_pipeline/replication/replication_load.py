"""The load of a replication, in one package or in several."""

from collections import Counter

from dlt import Pipeline

from invoiced_pipeline.replication.replication import Replication
from invoiced_pipeline.replication.source import invoiced_source
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.dlt_load import Loaded, Run, load


def load_replication(
    replication: Replication, pipeline: Pipeline, database: Database, run: Run | None = None
) -> Loaded:
    """Loads package after package; requests go on while one is loaded.

    Args:
        replication: What is loaded.
        pipeline: The database's pipeline.
        database: The warehouse.
        run: Runs the pipeline, such as inside a Dagster op; dlt itself by default.

    Returns:
        What all packages together loaded.

    Raises:
        InvoicedPipelineError: A load failed; the packages before it are committed.
    """
    stages: Counter[str] = Counter()
    load_ids: list[str] = []
    while not replication.has_ended:
        # A source runs once only: dlt changes its schema while it runs.
        loaded = load(invoiced_source(replication), pipeline, database, run)
        stages.update(loaded.stages)
        load_ids += loaded.load_ids
        replication.end_package()
    return Loaded(stages=stages, load_ids=load_ids)
