"""The sync job of a connection."""

import dagster as dg

from invoiced_pipeline.defs.descriptions import paragraphs
from invoiced_pipeline.defs.names import group_name, op_name, sync_job_name
from invoiced_pipeline.defs.runs.tags import replication_tags
from invoiced_pipeline.defs.sync.run_config import ReplicateConfig
from invoiced_pipeline.settings import ConnectionSettings


def sync_job(connection: ConnectionSettings):
    """Returns the job that brings all tables of a connection up to date."""
    return dg.define_asset_job(
        sync_job_name(connection),
        # The op records the results of checks anyway. Dagster would plan each of them, with two
        # events, also in runs that find nothing new.
        selection=dg.AssetSelection.groups(group_name(connection)).without_checks(),
        config=dg.RunConfig(ops={op_name(connection): ReplicateConfig(mode="sync")}),
        tags=replication_tags(connection),
        # A run has one op: a process for it would cost seconds and gain nothing.
        executor_def=dg.in_process_executor,
        description=paragraphs(
            "Reads what the warehouse does not cover yet, of every table.", connection.description
        ),
    )
