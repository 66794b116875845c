"""Starts what a command asks for in this process, as a run that Dagster's UI shows like others."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.execution.execution_result import ExecutionResult

from invoiced_pipeline.defs.launch.code_location import job_origin
from invoiced_pipeline.defs.launch.home import dagster_home
from invoiced_pipeline.defs.names import (
    sweep_job_name,
    sync_job_name,
    writeback_job_name,
    writeback_op_name,
)
from invoiced_pipeline.defs.runs.dead_runs import PROCESS_TAG, this_process
from invoiced_pipeline.defs.sweep import SweepConfig, sweep_op_name
from invoiced_pipeline.defs.sync.metadata import plain_metadata
from invoiced_pipeline.defs.sync.run_config import range_tags, sync_config
from invoiced_pipeline.defs.sync.unavailable import unavailable_tables, words_of
from invoiced_pipeline.defs.writeback.config import WritebackConfig
from invoiced_pipeline.replication.report import Mode
from invoiced_pipeline.settings import ConnectionSettings, Settings, load_settings

_INTERRUPTED = {
    "DagsterExecutionInterruptedError",
    "KeyboardInterrupt",
    "SignalReceivedException",  # dlt's, while it extracts, normalises or loads
}
_LOAD_INTERRUPTED = "interrupted. Nothing was loaded by halves; run again"
_PUSH_INTERRUPTED = (
    "interrupted. Nothing more was sent; what came of each request that was sent is in the ledger. "
    "Run again: the next push looks up what is open, and sends the rest"
)


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a run did.

    Attributes:
        run_id: Dagster's id of the run.
        error: Why it failed; None when it did not.
        tables: Metadata of every complete table's materialisation, or of every table's sweep.
        unavailable: What the API says of the tables that the account does not have, by table.
    """

    run_id: str
    error: str | None
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WritebackResult:
    """What a run of a write-back did.

    Attributes:
        run_id: Dagster's id of the run.
        error: Why it failed; None when it did not.
        metadata: What it told: counts, the plan as tables, the report as data.
    """

    run_id: str
    error: str | None
    metadata: dict[str, Any] = field(default_factory=dict)


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The Dagster instance whose records the UI shows for these settings.

    Raises:
        ConfigurationError: DAGSTER_HOME names no folder.
    """
    home = dagster_home(settings)
    home.prepare()
    os.environ["DAGSTER_HOME"] = str(home.folder)
    return dg.DagsterInstance.get()


def run_sync(
    defs: dg.Definitions,
    connection: ConnectionSettings,
    instance: dg.DagsterInstance,
    *,
    tables: Sequence[str],
    mode: Mode,
) -> SyncResult:
    """Runs a connection's sync job for some tables and waits for its end."""
    dataset = connection.dataset
    job = defs.resolve_job_def(sync_job_name(dataset))
    keys = [dg.AssetKey([dataset, table]) for table in tables]
    overlap = timedelta(minutes=connection.overlap_minutes)
    outcome = _run(
        job,
        instance,
        sync_config(dataset, mode),
        tags=range_tags(job.partitions_def, instance, keys, overlap, mode),
        keys=keys,
    )
    materialized = (event.materialization for event in outcome.get_asset_materialization_events())
    return SyncResult(
        outcome.run_id,
        _error(outcome),
        _metadata_by_table(materialized),
        unavailable_tables(outcome.all_events),
    )


def run_sweep(
    defs: dg.Definitions,
    connection: ConnectionSettings,
    instance: dg.DagsterInstance,
    *,
    tables: Sequence[str],
    allow_share: float | None,
) -> SyncResult:
    """Runs a connection's sweep job for some tables and waits for its end."""
    dataset = connection.dataset
    config = SweepConfig(tables=list(tables), allow_share=allow_share)
    job = defs.resolve_job_def(sweep_job_name(dataset))
    ops = {sweep_op_name(dataset): config}
    outcome = _run(job, instance, dg.RunConfig(ops=ops).to_config_dict())
    unavailable = unavailable_tables(outcome.all_events)
    observed = (
        event.asset_observation_data.asset_observation
        for event in outcome.all_events
        if event.is_asset_observation
    )
    swept = _metadata_by_table(each for each in observed if words_of(each) is None)
    return SyncResult(outcome.run_id, _error(outcome), swept, unavailable)


def run_writeback(
    defs: dg.Definitions, name: str, instance: dg.DagsterInstance, config: WritebackConfig
) -> WritebackResult:
    """Runs a write-back's job and waits for its end."""
    job = defs.resolve_job_def(writeback_job_name(name))
    ops = {writeback_op_name(name): config}
    outcome = _run(job, instance, dg.RunConfig(ops=ops).to_config_dict())
    error = _error(outcome, interrupted=_PUSH_INTERRUPTED)
    return WritebackResult(outcome.run_id, error, _metadata_of_op(outcome))


def _run(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    config: Mapping[str, Any],
    *,
    tags: Mapping[str, str] | None = None,
    keys: Sequence[dg.AssetKey] = (),
) -> ExecutionResult:
    """Runs a job in this process, recorded like a run that the UI launches.

    `JobDefinition.execute_in_process` cannot say which code location a run belongs to.
    """
    run = instance.create_run_for_job(
        job_def=job,
        run_config=_quietly(config),
        tags={**job.run_tags, **(tags or {}), PROCESS_TAG: this_process()},
        asset_selection=frozenset(keys) or None,
        remote_job_origin=job_origin(job.name, load_settings()),
    )
    return execute_run(InMemoryJob(job), run, instance)


def _metadata_of_op(outcome: Any) -> dict[str, Any]:
    """What the op told, whether it succeeded or failed."""
    for event in outcome.all_events:
        told: Mapping[str, dg.MetadataValue] = {}
        if event.is_successful_output:
            told = event.step_output_data.metadata
        elif event.is_step_failure and event.step_failure_data.user_failure_data:
            told = event.step_failure_data.user_failure_data.metadata
        if told:
            return {name: value.value for name, value in told.items()}
    return {}


def _quietly(config: Mapping[str, Any]) -> dict[str, Any]:
    """The command speaks for itself: Dagster's log goes to the UI only."""
    silent = {"console": {"config": {"log_level": "CRITICAL"}}}
    return {**config, "loggers": silent}


def _error(outcome: Any, interrupted: str = _LOAD_INTERRUPTED) -> str | None:
    if outcome.success:
        return None
    for event in outcome.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            if failure.user_failure_data and failure.user_failure_data.description:
                return failure.user_failure_data.description
            return _innermost(failure.error, interrupted) if failure.error else event.message
    return "the run failed before it began: see its log"


def _innermost(error: Any, interrupted: str) -> str:
    """The message of the first cause; the run's log holds the whole story."""
    while error.cause:
        error = error.cause
    if error.cls_name in _INTERRUPTED:
        return interrupted
    return error.message.strip()


def _metadata_by_table(
    told: Iterable[dg.AssetMaterialization | dg.AssetObservation],
) -> dict[str, dict[str, Any]]:
    return {each.asset_key.path[-1]: plain_metadata(each.metadata) for each in told}
