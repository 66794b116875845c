"""Runs of the jobs that commands start."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from invoiced_pipeline.defs.launch.job_run import run_error, run_job
from invoiced_pipeline.defs.models.trigger import reason_to_skip
from invoiced_pipeline.defs.names import (
    models_job_name,
    sweep_job_name,
    sweep_op_name,
    sync_job_name,
    table_key,
    writeback_job_name,
    writeback_op_name,
)
from invoiced_pipeline.defs.runs.op_metadata import op_metadata
from invoiced_pipeline.defs.sweep.job import SweepConfig
from invoiced_pipeline.defs.sync.metadata import plain_metadata
from invoiced_pipeline.defs.sync.partition_range import range_tags
from invoiced_pipeline.defs.sync.quiet_tables import quiet_tables_of
from invoiced_pipeline.defs.sync.run_config import WhenBusy, sync_config
from invoiced_pipeline.defs.sync.unavailable import api_message, unavailable_tables
from invoiced_pipeline.defs.writeback.config import WritebackConfig
from invoiced_pipeline.replication.report import Mode
from invoiced_pipeline.settings import ConnectionSettings

_LOAD_INTERRUPTED = "interrupted. What was loaded is complete; run again to load the rest"
_BUILD_INTERRUPTED = "interrupted. Models that were not built keep their earlier rows"
_PUSH_INTERRUPTED = (
    "interrupted. Nothing more was sent, and the ledger holds the outcome of each request. Run "
    "again: the next push looks up the open outcomes and sends the rest"
)


@dataclass(frozen=True, slots=True)
class SyncResult:
    """The result of a sync or a sweep.

    Attributes:
        run_id: Dagster's id of the run.
        error: Why it failed; None if it succeeded.
        tables: Metadata of every complete table: of its materialization, or of its sweep.
        unavailable: The API's message for each table that the account does not have.
    """

    run_id: str
    error: str | None
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelsResult:
    """The result of a build of the models.

    Attributes:
        run_id: Dagster's id of the run.
        error: Why it failed; None if it succeeded.
        models: The models that were built.
        failed_checks: The tests that failed or warn.
    """

    run_id: str
    error: str | None
    models: list[str]
    failed_checks: list[str]


@dataclass(frozen=True, slots=True)
class WritebackResult:
    """The result of a write-back.

    Attributes:
        run_id: Dagster's id of the run.
        error: Why it failed; None if it succeeded.
        metadata: Its op's metadata: counts, the plan as tables, the report as data.
    """

    run_id: str
    error: str | None
    metadata: dict[str, Any] = field(default_factory=dict)


def run_sync(  # noqa: PLR0913 - what is run, and how
    defs: dg.Definitions,
    connection: ConnectionSettings,
    instance: dg.DagsterInstance,
    *,
    tables: Sequence[str],
    mode: Mode,
    when_busy: WhenBusy = "fail",
) -> SyncResult:
    """Runs a connection's sync job for some tables, and waits for its end."""
    job = defs.resolve_job_def(sync_job_name(connection))
    keys = {table_key(connection, table) for table in tables}
    if keys == job.asset_layer.selected_asset_keys:
        keys = set()  # of a selection, Dagster plans the checks, too
    outcome = run_job(
        job,
        instance,
        sync_config(connection, mode, when_busy),
        tags=range_tags(job.partitions_def, instance, connection, tables, mode),
        keys=keys,
    )
    materialized = (event.materialization for event in outcome.get_asset_materialization_events())
    found = {
        **_metadata_by_table(materialized),
        **quiet_tables_of(outcome.all_events, outcome.run_id),
    }
    return SyncResult(
        outcome.run_id,
        run_error(outcome, interrupted=_LOAD_INTERRUPTED),
        {name: dict(found[name]) for name in tables if name in found},
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
    """Runs a connection's sweep job for some tables, and waits for its end."""
    config = SweepConfig(tables=list(tables), allow_share=allow_share)
    job = defs.resolve_job_def(sweep_job_name(connection))
    ops = {sweep_op_name(connection): config}
    outcome = run_job(job, instance, dg.RunConfig(ops=ops).to_config_dict())
    unavailable = unavailable_tables(outcome.all_events)
    observed = (
        event.asset_observation_data.asset_observation
        for event in outcome.all_events
        if event.is_asset_observation
    )
    swept = _metadata_by_table(each for each in observed if api_message(each) is None)
    return SyncResult(
        outcome.run_id, run_error(outcome, interrupted=_LOAD_INTERRUPTED), swept, unavailable
    )


def run_models_after(
    defs: dg.Definitions,
    connection: ConnectionSettings,
    instance: dg.DagsterInstance,
    run_id: str,
) -> ModelsResult | None:
    """Runs a connection's models job after a sync; returns None if the sync is no reason to."""
    if reason_to_skip(instance, connection, run_id) is not None:
        return None
    outcome = run_job(defs.resolve_job_def(models_job_name(connection)), instance, {})
    checks = [
        event.asset_check_evaluation_data
        for event in outcome.all_events
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ]
    built = outcome.get_asset_materialization_events()
    return ModelsResult(
        outcome.run_id,
        run_error(outcome, interrupted=_BUILD_INTERRUPTED),
        sorted(event.materialization.asset_key.path[-1] for event in built),
        sorted(each.check_name for each in checks if not each.passed),
    )


def run_writeback(
    defs: dg.Definitions,
    connection: ConnectionSettings,
    name: str,
    instance: dg.DagsterInstance,
    config: WritebackConfig,
) -> WritebackResult:
    """Runs a write-back's job, and waits for its end."""
    job = defs.resolve_job_def(writeback_job_name(connection, name))
    ops = {writeback_op_name(connection, name): config}
    outcome = run_job(job, instance, dg.RunConfig(ops=ops).to_config_dict())
    error = run_error(outcome, interrupted=_PUSH_INTERRUPTED)
    return WritebackResult(outcome.run_id, error, op_metadata(outcome.all_events))


def _metadata_by_table(
    events: Iterable[dg.AssetMaterialization | dg.AssetObservation],
) -> dict[str, dict[str, Any]]:
    return {each.asset_key.path[-1]: plain_metadata(each.metadata) for each in events}
