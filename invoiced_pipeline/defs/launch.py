"""Starts a sync or a sweep in this process, as a run of Dagster's that the UI shows like others."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from invoiced_pipeline.defs.dead_runs import PROCESS_TAG, this_process
from invoiced_pipeline.defs.names import op_name, sweep_job_name, sync_job_name
from invoiced_pipeline.defs.replicate import ReplicateConfig
from invoiced_pipeline.defs.run_metadata import COVERED_SINCE, COVERED_UNTIL, COVERED_WINDOWS
from invoiced_pipeline.defs.sweep import SweepConfig, sweep_op_name
from invoiced_pipeline.replication.report import Mode
from invoiced_pipeline.settings import Settings

_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"
_INTERRUPTED = "DagsterExecutionInterruptedError"


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a run did.

    Attributes:
        run_id: Dagster's id of the run.
        error: Why it failed; None when it did not.
        tables: Metadata of every complete table's materialisation, or of every table's sweep.
    """

    run_id: str
    error: str | None
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The Dagster instance of this folder: `DAGSTER_HOME`, else `./dagster.yaml`."""
    if not os.environ.get("DAGSTER_HOME"):
        home = Path.cwd()
        if not (home / "dagster.yaml").exists():
            home = settings.warehouse.path.resolve().parent / "dagster"
            home.mkdir(parents=True, exist_ok=True)
            os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")  # no dagster.yaml says so
        os.environ["DAGSTER_HOME"] = str(home)
    return dg.DagsterInstance.get()


def run_sync(
    defs: dg.Definitions,
    settings: Settings,
    instance: dg.DagsterInstance,
    *,
    tables: Sequence[str],
    mode: Mode,
) -> SyncResult:
    """Runs the sync job for some tables and waits for its end."""
    connection = settings.first
    dataset = connection.dataset
    job = defs.resolve_job_def(sync_job_name(dataset))
    keys = [dg.AssetKey([dataset, table]) for table in tables]
    first, last = _partition_range(
        job.partitions_def, instance, keys, timedelta(minutes=connection.overlap_minutes), mode
    )
    outcome = job.execute_in_process(
        instance=instance,
        asset_selection=keys,
        raise_on_error=False,
        tags={_RANGE_START: first, _RANGE_END: last, PROCESS_TAG: this_process()},
        run_config=_quietly(dg.RunConfig(ops={op_name(dataset): ReplicateConfig(mode=mode)})),
    )
    materialized = (event.materialization for event in outcome.get_asset_materialization_events())
    return SyncResult(outcome.run_id, _error(outcome), _metadata_by_table(materialized))


def run_sweep(
    defs: dg.Definitions,
    settings: Settings,
    instance: dg.DagsterInstance,
    *,
    tables: Sequence[str],
    allow_share: float | None,
) -> SyncResult:
    """Runs the sweep job for some tables and waits for its end."""
    dataset = settings.first.dataset
    config = SweepConfig(tables=list(tables), allow_share=allow_share)
    outcome = defs.resolve_job_def(sweep_job_name(dataset)).execute_in_process(
        instance=instance,
        raise_on_error=False,
        tags={PROCESS_TAG: this_process()},
        run_config=_quietly(dg.RunConfig(ops={sweep_op_name(dataset): config})),
    )
    observed = (
        event.asset_observation_data.asset_observation
        for event in outcome.all_events
        if event.is_asset_observation
    )
    return SyncResult(outcome.run_id, _error(outcome), _metadata_by_table(observed))


def _quietly(config: dg.RunConfig) -> dict[str, Any]:
    """The command speaks for itself: Dagster's log goes to the UI only."""
    silent = {"console": {"config": {"log_level": "CRITICAL"}}}
    return {**config.to_config_dict(), "loggers": silent}


def _partition_range(
    partitions: Any,
    instance: dg.DagsterInstance,
    keys: Sequence[dg.AssetKey],
    overlap: timedelta,
    mode: Mode,
) -> tuple[str, str]:
    """The partitions that the uncovered interval touches, by Dagster's own records.

    The op reads what the warehouse does not cover whatever the range says; the range tells the UI
    which partitions to mark.
    """
    every = partitions.get_partition_keys()
    begin = partitions.time_window_for_partition_key(every[0])
    ends: list[datetime] = []
    for key in keys:
        metadata = _latest_metadata(instance, key)
        since, until = metadata.get(COVERED_SINCE), metadata.get(COVERED_UNTIL)
        has_gaps = metadata.get(COVERED_WINDOWS, 1) != 1
        if (
            since is None
            or until is None
            or has_gaps
            or datetime.fromtimestamp(since, UTC) >= begin.end
        ):
            return every[0], every[-1]
        ends.append(datetime.fromtimestamp(until, UTC))
    if mode != "sync":
        return every[0], every[-1]
    reach = max(begin.start, min(min(ends) - overlap, datetime.now(UTC)))
    return partitions.get_partition_key_for_timestamp(reach.timestamp()), every[-1]


def _latest_metadata(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, Any]:
    event = instance.get_latest_materialization_event(key)
    materialization = event.asset_materialization if event else None
    found = materialization.metadata if materialization else {}
    return {name: value.value for name, value in found.items()}


def _error(outcome: Any) -> str | None:
    if outcome.success:
        return None
    for event in outcome.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            if failure.user_failure_data and failure.user_failure_data.description:
                return failure.user_failure_data.description
            return _innermost(failure.error) if failure.error else event.message
    return "the run failed before it began: see its log"


def _innermost(error: Any) -> str:
    """The message of the first cause; the run's log holds the whole story."""
    while error.cause:
        error = error.cause
    if error.cls_name == _INTERRUPTED:
        return "interrupted. Nothing was loaded by halves; run again"
    return error.message.strip()


def _metadata_by_table(
    told: Iterable[dg.AssetMaterialization | dg.AssetObservation],
) -> dict[str, dict[str, Any]]:
    return {
        each.asset_key.path[-1]: {name: value.value for name, value in each.metadata.items()}
        for each in told
    }
