"""Names that users and schedules know: of assets, ops and jobs, all made from the dataset."""

import dagster as dg

from invoiced_pipeline.catalog import Table

OLD_RUNS_JOB = "delete_old_runs"
"""Name of the job that deletes old runs."""


def asset_key(dataset: str, table: Table) -> dg.AssetKey:
    """`<dataset>/<table>`."""
    return dg.AssetKey([dataset, table.name])


def account_key(dataset: str) -> dg.AssetKey:
    """The Invoiced account that `dataset` replicates: upstream of its tables."""
    return dg.AssetKey([dataset, "invoiced_account"])


def written_account_key(dataset: str) -> dg.AssetKey:
    """The same account as what write-backs send to: downstream of them."""
    return dg.AssetKey([dataset, "invoiced_account_writes"])


def writeback_key(dataset: str, name: str) -> dg.AssetKey:
    """The write-back `name` in the asset graph."""
    return dg.AssetKey([dataset, writeback_job_name(name)])


def op_name(dataset: str) -> str:
    """Name of the op that replicates `dataset`."""
    return f"replicate_{dataset}"


def schedule_name(job: str) -> str:
    """Name of the schedule that starts `job`."""
    return f"{job}_schedule"


def sync_job_name(dataset: str) -> str:
    """`<dataset>_sync`."""
    return f"{dataset}_sync"


def sweep_job_name(dataset: str) -> str:
    """`<dataset>_sweep`."""
    return f"{dataset}_sweep"


def sweep_op_name(dataset: str) -> str:
    """Name of the op that sweeps `dataset`."""
    return f"compare_{dataset}"


def writeback_job_name(name: str) -> str:
    """`writeback_<name>`."""
    return f"writeback_{name}"


def writeback_op_name(name: str) -> str:
    """Name of the op that plans and sends the write-back `name`."""
    return f"send_{name}"
