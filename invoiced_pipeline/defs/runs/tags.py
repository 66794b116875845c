"""Tags on the runs of all jobs, by which Dagster's queue limits how many run at a time."""

from collections.abc import Mapping

from invoiced_pipeline.settings import ConnectionSettings, remembered_host

DATASET_TAG = "invoiced_pipeline/dataset"
"""The dataset that a run writes: one run at a time."""

HOST_TAG = "invoiced_pipeline/api_host"
"""The host of the API that a run asks."""


def run_tags(connection: ConnectionSettings) -> Mapping[str, str]:
    """Returns the tags of every run of a connection's jobs."""
    return {DATASET_TAG: connection.dataset, HOST_TAG: remembered_host(connection.base_url)}
