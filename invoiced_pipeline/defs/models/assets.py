"""The models as assets: one op builds those that a run selects, with their tests as checks."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from invoiced_pipeline.defs.models.build import execute
from invoiced_pipeline.defs.models.job import ModelsConfig
from invoiced_pipeline.defs.models.translator import ModelTranslator
from invoiced_pipeline.defs.names import models_op_name
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.defs.runs.pool import dataset_pool
from invoiced_pipeline.models.manifest import read_manifest
from invoiced_pipeline.settings import Settings


def model_assets(settings: Settings, dataset: ReplicatedDataset) -> dg.AssetsDefinition:
    """Returns the models of a connection.

    Args:
        settings: They name the kind of warehouse.
        dataset: The tables that the models read.
    """

    @dbt_assets(
        manifest=read_manifest(settings.warehouse.destination),
        # The pipeline checks the tables themselves.
        exclude="path:models/staging",
        name=models_op_name(dataset.connection),
        dagster_dbt_translator=ModelTranslator(dataset.connection),
        required_resource_keys={dataset.keys.warehouse},
        pool=dataset_pool(dataset.connection),
    )
    def build(context: dg.AssetExecutionContext, config: ModelsConfig) -> Iterator[Any]:
        yield from execute(context, config, dataset)

    return build
