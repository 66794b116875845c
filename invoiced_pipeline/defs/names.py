"""Names of assets, ops, jobs and schedules; users and their scripts rely on them."""

import dagster as dg

from invoiced_pipeline.catalog import Table

OLD_RUNS_JOB = "delete_old_runs"
"""Name of the job that deletes old runs."""


def asset_key(dataset: str, table: Table) -> dg.AssetKey:
    """Returns `<dataset>/<table>`."""
    return dg.AssetKey([dataset, table.name])


def account_key(dataset: str) -> dg.AssetKey:
    """Returns the key of the account that syncs read: upstream of the tables."""
    return dg.AssetKey([dataset, "invoiced_account"])


def written_account_key(dataset: str) -> dg.AssetKey:
    """Returns the key of the account that write-backs change: downstream of them."""
    return dg.AssetKey([dataset, "invoiced_account_writes"])


def writeback_key(dataset: str, name: str) -> dg.AssetKey:
    """Returns the key of a write-back in the asset graph."""
    return dg.AssetKey([dataset, writeback_job_name(name)])


def op_name(dataset: str) -> str:
    """Returns the name of the op that replicates a dataset."""
    return f"replicate_{dataset}"


def schedule_name(job: str) -> str:
    """Returns the name of the schedule that starts a job."""
    return f"{job}_schedule"


def sync_job_name(dataset: str) -> str:
    """Returns `<dataset>_sync`."""
    return f"{dataset}_sync"


def sweep_job_name(dataset: str) -> str:
    """Returns `<dataset>_sweep`."""
    return f"{dataset}_sweep"


def sweep_op_name(dataset: str) -> str:
    """Returns the name of the op that sweeps a dataset."""
    return f"compare_{dataset}"


def models_job_name(dataset: str) -> str:
    """Returns `<dataset>_models`, which is also the group of its assets."""
    return f"{dataset}_models"


def models_op_name(dataset: str) -> str:
    """Returns the name of the op that builds the models of a dataset."""
    return f"build_{dataset}_models"


def model_key(dataset: str, model: str) -> dg.AssetKey:
    """Returns `<dataset>_models/<model>`."""
    return dg.AssetKey([f"{dataset}_models", model])


def writeback_job_name(name: str) -> str:
    """Returns `writeback_<name>`."""
    return f"writeback_{name}"


def writeback_op_name(name: str) -> str:
    """Returns the name of the op that plans and sends a write-back."""
    return f"send_{name}"
