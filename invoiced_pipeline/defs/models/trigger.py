"""Whether a sync is a reason to build the models."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from invoiced_pipeline.defs.names import (
    dataset_key,
    model_key,
    models_job_name,
    sweep_job_name,
    sync_job_name,
)
from invoiced_pipeline.models.project import END_MODELS
from invoiced_pipeline.settings import ConnectionSettings

_ROWS = ("rows_loaded", "deleted_rows")
_EVENTS = {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_OBSERVATION}
_UNSUCCESSFUL = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_BY_HAND = "__ASSET_JOB"
"""Dagster's name for the job of runs that are started with Materialize."""
_MOST = 20
"""How many runs are looked at for changes; if there are more, the models are built anyway."""


def reason_to_skip(
    instance: dg.DagsterInstance, connection: ConnectionSettings, run_id: str
) -> str | None:
    """Returns why the models are not built after a run; None if they are.

    They are built if rows have changed since the last build, and on a new day (UTC), because what
    is overdue depends on the day. It reads Dagster's run history only, so it works while another
    run writes the warehouse.

    Args:
        instance: Where runs are recorded.
        connection: The connection whose models they are.
        run_id: A sync or sweep that has ended.
    """
    built = instance.get_latest_materialization_event(model_key(connection, END_MODELS[0]))
    if built is not None:
        built_at = datetime.fromtimestamp(built.timestamp, UTC)
        is_new_day = built_at.date() < datetime.now(UTC).date()
        runs = (run_id, *_unseen_runs(instance, connection, built_at))
        is_changed = len(runs) > _MOST or any(
            _changed_rows(instance, connection, each) for each in runs
        )
        if not is_new_day and not is_changed:
            return f"run {run_id} changed no rows"
    if later := _later_build(instance, connection, run_id):
        return f"run {later} began after run {run_id} had ended"
    return None


def _unseen_runs(
    instance: dg.DagsterInstance, connection: ConnectionSettings, since: datetime
) -> Iterator[str]:
    """Yields the runs after which nothing was built, whatever they loaded.

    These are syncs and sweeps that failed, and runs that materialized tables by hand.
    """
    for job, statuses in (
        (sync_job_name(connection), _UNSUCCESSFUL),
        (sweep_job_name(connection), _UNSUCCESSFUL),
        (_BY_HAND, (dg.DagsterRunStatus.SUCCESS, *_UNSUCCESSFUL)),
    ):
        wanted = dg.RunsFilter(job_name=job, statuses=statuses, updated_after=since)
        for record in instance.get_run_records(wanted, limit=_MOST):
            yield record.dagster_run.run_id


def _changed_rows(
    instance: dg.DagsterInstance, connection: ConnectionSettings, run_id: str
) -> bool:
    dataset = dataset_key(connection)
    for entry in instance.all_logs(run_id, of_type=_EVENTS):
        event = entry.get_dagster_event()
        if event.is_step_materialization:
            known = event.step_materialization_data.materialization
        else:
            known = event.asset_observation_data.asset_observation
        metadata = known.metadata
        is_own = known.asset_key.has_prefix(dataset.path)
        if is_own and any(name in metadata and metadata[name].value for name in _ROWS):
            return True
    return False


def _later_build(
    instance: dg.DagsterInstance, connection: ConnectionSettings, run_id: str
) -> str | None:
    """Returns a run that builds, or has built, what the other run loaded."""
    record = instance.get_run_record_by_id(run_id)
    ended = record.end_time if record else None
    wanted = dg.RunsFilter(job_name=models_job_name(connection))
    (last, *_) = instance.get_run_records(wanted, limit=1) or [None]
    if last is None or ended is None or last.dagster_run.status is dg.DagsterRunStatus.FAILURE:
        return None
    is_later = last.create_timestamp.timestamp() >= ended
    return last.dagster_run.run_id if is_later else None
