"""Jobs: what a schedule's tick, or a person, starts."""

import dagster as dg

from invoiced_pipeline.defs.names import op_name, sync_job_name
from invoiced_pipeline.defs.replicate import ReplicateConfig


def sync_job(dataset: str):
    """The job that brings all tables of `dataset` up to date."""
    return dg.define_asset_job(
        sync_job_name(dataset),
        selection=dg.AssetSelection.groups(dataset),
        config=dg.RunConfig(ops={op_name(dataset): ReplicateConfig(mode="sync")}),
        description="Reads what the warehouse does not cover yet, of every table.",
    )
