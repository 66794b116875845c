"""Jobs: what a schedule's tick, or a person, starts."""

import dagster as dg

from invoiced_pipeline.defs.names import op_name, sync_job_name
from invoiced_pipeline.defs.sync.assets import ReplicateConfig
from invoiced_pipeline.settings import ConnectionSettings


def sync_job(connection: ConnectionSettings):
    """The job that brings all tables of a connection up to date."""
    dataset = connection.dataset
    return dg.define_asset_job(
        sync_job_name(dataset),
        selection=dg.AssetSelection.groups(dataset),
        config=dg.RunConfig(ops={op_name(dataset): ReplicateConfig(mode="sync")}),
        description=described(
            "Reads what the warehouse does not cover yet, of every table.", connection
        ),
    )


def described(what: str, connection: ConnectionSettings) -> str:
    """What a job or asset is, and what its connection is for."""
    return "\n\n".join(filter(None, [what, connection.description]))
