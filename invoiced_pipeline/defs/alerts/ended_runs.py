"""A job's runs that have ended, and their configuration."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


def ended_runs(instance: dg.DagsterInstance, job: str, *, limit: int) -> Sequence[dg.RunRecord]:
    """Returns a job's last runs that succeeded or failed, newest first."""
    return instance.get_run_records(dg.RunsFilter(job_name=job, statuses=_ENDED), limit=limit)


def op_config(run: dg.DagsterRun, op: str) -> Mapping[str, Any]:
    """Returns the configuration that a run gave an op; empty without one."""
    configured: Any = run.run_config
    return configured.get("ops", {}).get(op, {}).get("config") or {}
