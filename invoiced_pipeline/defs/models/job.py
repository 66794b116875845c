"""The job that builds the models of a connection."""

from typing import Any

import dagster as dg
from pydantic import Field

from invoiced_pipeline.defs.descriptions import paragraphs
from invoiced_pipeline.defs.names import models_job_name, models_op_name
from invoiced_pipeline.defs.runs.dead_runs import DATASET_TAG
from invoiced_pipeline.settings import ConnectionSettings


class ModelsConfig(dg.Config):
    """What a run does while another run writes."""

    wait: bool = Field(
        default=True,
        description="Whether to wait while another run writes the warehouse, without a time limit.",
    )


def models_job(connection: ConnectionSettings) -> Any:
    """Returns the job `<dataset>_models`, which builds all models and tests them."""
    dataset = connection.dataset
    return dg.define_asset_job(
        models_job_name(dataset),
        selection=dg.AssetSelection.groups(models_job_name(dataset)),
        config=dg.RunConfig(ops={models_op_name(dataset): ModelsConfig()}),
        tags={DATASET_TAG: dataset},
        description=paragraphs(
            "Builds the models over the tables as they are, without asking the API.",
            connection.description,
        ),
    )
