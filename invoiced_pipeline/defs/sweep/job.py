"""The sweep's job: finds rows whose records are gone, and records without a row."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from invoiced_pipeline.defs.descriptions import paragraphs
from invoiced_pipeline.defs.names import sweep_job_name, sweep_op_name
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.defs.runs.pool import dataset_pool
from invoiced_pipeline.defs.runs.tags import replication_tags


class SweepConfig(dg.Config):
    """Which tables a run compares, and how it does so."""

    tables: list[str] = Field(default=[], description="Tables to compare; all if empty.")
    allow_share: float | None = Field(
        default=None,
        description="Largest share of a table's rows that may be marked as deleted. By default "
        "that of the settings.",
    )
    tries: int = Field(
        default=1, ge=1, description="How often to try, a minute apart, while another run writes."
    )


def sweep_job(dataset: ReplicatedDataset) -> dg.JobDefinition:
    """Returns the job `<dataset>_sweep`; it compares only tables that the connection selects."""

    @dg.op(
        name=sweep_op_name(dataset.connection),
        description="Compares the ids in the API with all rows.",
        required_resource_keys=dataset.keys.required,
        pool=dataset_pool(dataset.connection),
    )
    def compare(
        context: dg.OpExecutionContext, config: SweepConfig
    ) -> Iterator[dg.AssetObservation | dg.Output]:
        # Here, because definitions load in every process of Dagster and pyarrow takes seconds.
        from invoiced_pipeline.defs.sweep.run import execute

        yield from execute(context, config, dataset)

    @dg.job(
        name=sweep_job_name(dataset.connection),
        tags=replication_tags(dataset.connection),
        executor_def=dg.in_process_executor,
        description=paragraphs(
            "Marks rows whose records were deleted without an event, and loads records that have "
            "no `updated_at`. It lists only ids.",
            dataset.connection.description,
        ),
    )
    def sweep() -> None:
        compare()

    return sweep
