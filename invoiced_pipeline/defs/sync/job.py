"""The sync job of a connection."""

import dagster as dg

from invoiced_pipeline.defs.descriptions import paragraphs
from invoiced_pipeline.defs.names import op_name, sync_job_name
from invoiced_pipeline.defs.runs.tags import run_tags
from invoiced_pipeline.defs.sync.run_config import ReplicateConfig
from invoiced_pipeline.settings import ConnectionSettings


def sync_job(connection: ConnectionSettings):
    """Returns the job that brings all tables of a connection up to date."""
    dataset = connection.dataset
    return dg.define_asset_job(
        sync_job_name(dataset),
        selection=dg.AssetSelection.groups(dataset),
        config=dg.RunConfig(ops={op_name(dataset): ReplicateConfig(mode="sync")}),
        tags=run_tags(connection),
        description=paragraphs(
            "Reads what the warehouse does not cover yet, of every table.", connection.description
        ),
    )
