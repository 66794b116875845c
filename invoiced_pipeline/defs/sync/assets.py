"""The assets of a dataset: one op replicates all selected tables in one dlt load."""

from collections.abc import Iterator

import dagster as dg

from invoiced_pipeline.defs.checks.specs import check_specs
from invoiced_pipeline.defs.names import op_name
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.defs.runs.pool import dataset_pool
from invoiced_pipeline.defs.sync.asset_specs import asset_spec
from invoiced_pipeline.defs.sync.run_config import ReplicateConfig
from invoiced_pipeline.settings import Destination


def replicated_assets(
    dataset: ReplicatedDataset, destination: Destination = "duckdb"
) -> dg.AssetsDefinition:
    """Returns every table of a dataset as a partitioned asset, with its checks.

    Args:
        dataset: Its tables become assets.
        destination: The kind of warehouse, which the UI shows.
    """
    connection = dataset.connection

    @dg.multi_asset(
        name=op_name(connection),
        specs=[
            asset_spec(connection, table, dataset.partitions, destination)
            for table in dataset.tables
        ],
        check_specs=check_specs(connection, dataset.tables),
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys=dataset.keys.required,
        pool=dataset_pool(connection),
    )
    def replicate(
        context: dg.AssetExecutionContext, config: ReplicateConfig
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult | dg.AssetObservation]:
        # Here, because definitions load in every process of Dagster and dlt takes seconds.
        from invoiced_pipeline.defs.sync.run import execute

        yield from execute(context, config, dataset)

    return replicate
