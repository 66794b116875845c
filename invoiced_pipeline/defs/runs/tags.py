"""Tags on the runs of all jobs, by which Dagster's queue limits how many run at a time."""

from collections.abc import Mapping

from invoiced_pipeline.settings import ConnectionSettings, remembered_host

DATASET_TAG = "invoiced_pipeline/dataset"
"""The dataset whose lock a run takes: one run at a time."""

HOST_TAG = "invoiced_pipeline/api_host"
"""The host of the API that a run asks."""

REPLICATES_TAG = "invoiced_pipeline/replicates"
"""The dataset that a run of a sync or sweep job replicates."""


def run_tags(connection: ConnectionSettings) -> Mapping[str, str]:
    """Returns the tags of every run of a connection's jobs."""
    return {DATASET_TAG: connection.dataset, HOST_TAG: remembered_host(connection.base_url)}


def replication_tags(connection: ConnectionSettings) -> Mapping[str, str]:
    """Returns the tags of the runs of a connection's sync and sweep jobs."""
    return {**run_tags(connection), REPLICATES_TAG: connection.dataset}
