"""Names of assets, ops, jobs and schedules; users and their scripts rely on them.

A connection's `key_prefix` begins them all, so that the definitions of two projects can be merged.
"""

import dagster as dg

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.settings import ConnectionSettings

ALERTS_SENSOR = "alerts_sensor"
"""Name of the sensor that sends alerts about all connections."""

PUSH_REPORT = "report"
"""Metadata of a push: what it did."""

PARENT_REPORT = "pushed_before_"
"""Begins the metadata of a push about each write-back that it pushed before its own."""


DEAD_RUNS_SENSOR = "dead_runs_sensor"
"""Name of the sensor that ends runs whose process died."""


def dataset_key(connection: ConnectionSettings) -> dg.AssetKey:
    """Returns `<prefix>/<dataset>`, which begins the keys of a connection's assets."""
    return dg.AssetKey([*connection.key_prefix, connection.dataset])


def table_key(connection: ConnectionSettings, name: str) -> dg.AssetKey:
    """Returns the key of a table, child table or neighbour: `<prefix>/<dataset>/<name>`."""
    return dg.AssetKey([*dataset_key(connection).path, name])


def asset_key(connection: ConnectionSettings, table: Table) -> dg.AssetKey:
    """Returns the key of a replicated table."""
    return table_key(connection, table.name)


def account_key(connection: ConnectionSettings) -> dg.AssetKey:
    """Returns the key of the account that syncs read: upstream of the tables."""
    return table_key(connection, "invoiced_account")


def written_account_key(connection: ConnectionSettings) -> dg.AssetKey:
    """Returns the key of the account that write-backs change: downstream of them."""
    return table_key(connection, "invoiced_account_writes")


def writeback_key(connection: ConnectionSettings, name: str) -> dg.AssetKey:
    """Returns the key of a write-back in the asset graph; its prefix is in the key's path."""
    return table_key(connection, f"writeback_{name}")


def prefixed(connection: ConnectionSettings, name: str) -> str:
    """Returns `<prefix>_<name>`: a name of a job, op, group or resource."""
    return "_".join([*connection.key_prefix, name])


def group_name(connection: ConnectionSettings) -> str:
    """Returns the asset group of a connection: its dataset."""
    return prefixed(connection, connection.dataset)


def op_name(connection: ConnectionSettings) -> str:
    """Returns the name of the op that replicates a dataset."""
    return f"replicate_{group_name(connection)}"


def schedule_name(job: str) -> str:
    """Returns the name of the schedule that starts a job."""
    return f"{job}_schedule"


def sync_job_name(connection: ConnectionSettings) -> str:
    """Returns `<dataset>_sync`."""
    return f"{group_name(connection)}_sync"


def events_sensor_name(connection: ConnectionSettings) -> str:
    """Returns `<dataset>_events_sensor`."""
    return f"{group_name(connection)}_events_sensor"


def sweep_job_name(connection: ConnectionSettings) -> str:
    """Returns `<dataset>_sweep`."""
    return f"{group_name(connection)}_sweep"


def sweep_op_name(connection: ConnectionSettings) -> str:
    """Returns the name of the op that sweeps a dataset."""
    return f"compare_{group_name(connection)}"


def models_job_name(connection: ConnectionSettings) -> str:
    """Returns `<dataset>_models`, which is also the group of its assets."""
    return f"{group_name(connection)}_models"


def models_op_name(connection: ConnectionSettings) -> str:
    """Returns the name of the op that builds the models of a dataset."""
    return f"build_{models_job_name(connection)}"


def model_key(connection: ConnectionSettings, model: str) -> dg.AssetKey:
    """Returns `<prefix>/<dataset>_models/<model>`."""
    return dg.AssetKey([*connection.key_prefix, f"{connection.dataset}_models", model])


def writeback_job_name(connection: ConnectionSettings, name: str) -> str:
    """Returns `writeback_<name>`."""
    return prefixed(connection, f"writeback_{name}")


def writeback_op_name(connection: ConnectionSettings, name: str) -> str:
    """Returns the name of the op that plans and sends a write-back."""
    return f"send_{prefixed(connection, name)}"


def old_runs_job_name(first: ConnectionSettings) -> str:
    """Returns the name of the job that deletes old runs, under the first connection's prefix."""
    return prefixed(first, "delete_old_runs")
