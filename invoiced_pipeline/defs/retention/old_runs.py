"""Old runs in Dagster's run history, and which of them schedules, checks or the UI still need."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage

from invoiced_pipeline.defs.checks.specs import check_specs
from invoiced_pipeline.defs.code_location import job_origin
from invoiced_pipeline.defs.names import dataset_key, old_runs_job_name, writeback_job_name
from invoiced_pipeline.defs.runs.dead_runs import is_over
from invoiced_pipeline.selection.tables import tables_of
from invoiced_pipeline.settings import Settings

_FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
_PAGE = 500


def delete_old_runs(instance: dg.DagsterInstance, settings: Settings, before: datetime) -> int:
    """Deletes the project's runs that ended before an instant, and returns how many.

    Unfinished runs stay. So do runs with an asset's newest event: schedules read a table's coverage
    from its last materialization, and the UI shows a partition without one as missing. Nothing in
    the warehouse changes.

    Args:
        instance: Where the runs are recorded; runs of other projects in it stay.
        settings: They say which runs are the project's.
        before: An aware instant.
    """
    ours = [run.run_id for run in _ended_before(instance, before) if _is_ours(run, settings)]
    kept = set(_with_newest_events(instance, settings)) if ours else set()
    deleted = [run_id for run_id in ours if run_id not in kept]
    for run_id in deleted:
        _delete(instance, run_id)
    return len(deleted)


def _ended_before(instance: dg.DagsterInstance, before: datetime) -> Iterator[dg.DagsterRun]:
    # A run that ended before was created before, and Dagster filters only by creation.
    wanted = dg.RunsFilter(statuses=_FINISHED, created_before=before)
    cursor = None
    while records := instance.get_run_records(wanted, limit=_PAGE, cursor=cursor):
        for record in records:
            ended = record.end_time or record.create_timestamp.timestamp()
            if ended < before.timestamp():
                yield record.dagster_run
        cursor = records[-1].dagster_run.run_id


def _is_ours(run: dg.DagsterRun, settings: Settings) -> bool:
    """Returns whether a run is of these settings' jobs or tables, in this code location."""
    ours = job_origin(run.job_name, settings)
    # Runs of Dagster's own commands, and of earlier versions, have no origin.
    if (run.remote_job_origin or ours).location_name != ours.location_name:
        return False
    jobs = {old_runs_job_name(settings.first)}
    for each in settings.writeback:
        jobs.add(writeback_job_name(settings.find(each.connection), each.name))
    datasets = [dataset_key(each) for each in settings.connection]
    checked = [key.asset_key for key in run.asset_check_selection or ()]
    return (
        run.job_name in jobs
        or any(key.has_prefix(dataset.path) for key in checked for dataset in datasets)
        or any(is_over(run, each.dataset) for each in settings.connection)
    )


def _with_newest_events(instance: dg.DagsterInstance, settings: Settings) -> Iterator[str]:
    """Yields the ids of runs with the newest event of an asset, a partition or a check."""
    for record in instance.get_asset_records():
        key = record.asset_entry.asset_key
        if record.asset_entry.last_run_id:
            yield record.asset_entry.last_run_id
        yield from _of_materializations(instance, key)
        yield from (
            observed.run_id for observed in instance.fetch_observations(key, limit=1).records
        )
    checks = [
        spec.key
        for connection in settings.connection
        for spec in check_specs(connection, tables_of(settings, connection))
    ]
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(checks)
    yield from (execution.run_id for execution in latest.values())


def _of_materializations(instance: dg.DagsterInstance, key: dg.AssetKey) -> Iterator[str]:
    newest = instance.fetch_materializations(key, limit=1).records
    yield from (record.run_id for record in newest)
    by_partition = instance.event_log_storage.get_latest_storage_id_by_partition(
        key, dg.DagsterEventType.ASSET_MATERIALIZATION
    )
    for ids in _pages(list(by_partition.values())):
        wanted = dg.AssetRecordsFilter(key, storage_ids=ids)
        found = instance.fetch_materializations(wanted, limit=len(ids))
        yield from (record.run_id for record in found.records)


def _pages(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + _PAGE] for start in range(0, len(ids), _PAGE))


def _delete(instance: dg.DagsterInstance, run_id: str) -> None:
    instance.delete_run(run_id)
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    shutil.rmtree(Path(instance.storage_directory()) / run_id, ignore_errors=True)
    storage = instance.event_log_storage
    if isinstance(storage, SqliteEventLogStorage):
        # Dagster only empties the run's own file, which keeps its size.
        for suffix in ("", "-wal", "-shm"):
            Path(storage.path_for_shard(run_id) + suffix).unlink(missing_ok=True)
