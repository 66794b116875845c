"""The state of tables, from Dagster's run history."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import dagster as dg

from invoiced_pipeline.defs.names import asset_key
from invoiced_pipeline.defs.runs.dead_runs import living_runs
from invoiced_pipeline.defs.runs.failure import failure_description
from invoiced_pipeline.defs.sync.metadata import (
    COVERED_SINCE,
    COVERED_UNTIL,
    COVERED_WINDOWS,
    PROBLEM,
    ROW_COUNT,
    ROWS_LOADED,
    ROWS_REJECTED,
    plain_metadata,
)
from invoiced_pipeline.defs.sync.quiet_tables import QuietTable, last_quiet_tables
from invoiced_pipeline.defs.sync.unavailable import unavailable_tables
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.selection.tables import tables_of
from invoiced_pipeline.settings import ConnectionSettings, Settings
from invoiced_pipeline.warehouse.database import LockState
from invoiced_pipeline.warehouse.open import open_database

State = Literal["pending", "running", "ok", "unavailable", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStatus:
    """The state of one table; instants are UTC.

    Attributes:
        table: Its name.
        state: `pending` before its first run, then the state of its last run. `unavailable` if the
            account does not have the table. `failed` also if it is loaded but a person should look.
        rows: Rows in the warehouse after the last run that loaded it.
        loaded_at: When that run recorded it.
        loaded_rows: Rows that this run loaded.
        rejected_rows: Records that fitted no column in this run.
        is_stale: Whether its coverage ends longer ago than the connection's `fail_after_hours`.
        covered_since: The start of its coverage.
        covered_until: The end of its coverage.
        windows: How many windows the coverage has; more than one means gaps.
        started_at: When the last run began.
        ended_at: When the last run ended; None while it runs.
        run_id: The last run.
        error: Why it failed.
        unavailable: The API's message, if the account does not have the table.
    """

    table: str
    state: State
    rows: int | None = None
    loaded_at: datetime | None = None
    loaded_rows: int | None = None
    rejected_rows: int | None = None
    is_stale: bool = False
    covered_since: datetime | None = None
    covered_until: datetime | None = None
    windows: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    run_id: str | None = None
    error: str | None = None
    unavailable: str | None = None


def table_statuses(
    instance: dg.DagsterInstance,
    settings: Settings,
    connection: ConnectionSettings,
    now: datetime,
) -> list[TableStatus]:
    """Returns the state of a connection's tables at `now` (aware).

    Raises:
        ConfigurationError: Its selection of tables is wrong.
    """
    stale_before = now - timedelta(hours=connection.fail_after_hours)
    keys = {asset_key(connection, table): table for table in tables_of(settings, connection)}
    records = instance.get_asset_records(list(keys))
    entries = {record.asset_entry.asset_key: record.asset_entry for record in records}
    runs = {entry.last_run_id for entry in entries.values() if entry.last_run_id}
    records_of_runs = {run_id: instance.get_run_record_by_id(run_id) for run_id in runs}
    alive: set[str] = set()
    if any(each and not each.dagster_run.is_finished for each in records_of_runs.values()):
        lock = _lock(settings, connection.dataset)
        alive = set(living_runs(instance, connection.dataset, lock))
    last = {
        run_id: _run(instance, run_id, record, is_alive=run_id in alive)
        for run_id, record in records_of_runs.items()
    }
    quiet = last_quiet_tables(instance, connection)
    found = []
    for key, table in keys.items():
        entry = entries.get(key)
        run = last.get(entry.last_run_id or "") if entry else None
        event = entry.last_materialization if entry else None
        found.append(
            TableStatus(table=table.name, state="pending")
            if run is None
            else _table(table.name, run, event, quiet.get(table.name), stale_before)
        )
    return found


def _lock(settings: Settings, dataset: str) -> LockState:
    """Returns who writes; nobody also if the server cannot be reached: the rest needs no lock."""
    try:
        return open_database(settings.warehouse).lock_state(dataset)
    except WarehouseError:
        return LockState()


@dataclass(frozen=True, slots=True)
class _Run:
    run_id: str
    started_at: datetime | None
    ended_at: datetime | None
    is_running: bool
    error: str | None
    unavailable: Mapping[str, str] = field(default_factory=dict)
    """The API's message for each table that the account does not have."""


def _table(
    name: str,
    run: _Run,
    event: dg.EventLogEntry | None,
    quiet: QuietTable | None,
    stale_before: datetime,
) -> TableStatus:
    """Returns a table's state during or after its last run.

    Args:
        name: The table.
        run: Its last run.
        event: Its last materialization, of that run or of an earlier one.
        quiet: The last sync that found nothing new in it.
        stale_before: A table whose coverage ends before this instant is stale.
    """
    loaded = event.asset_materialization if event else None
    metadata: dict[str, Any] = {}
    if loaded is not None:
        metadata = plain_metadata(loaded.metadata)
    is_loaded = event is not None and event.run_id == run.run_id
    loaded_at = _instant(event.timestamp) if event else None
    if quiet is not None and quiet.follows(event):
        metadata |= quiet.metadata
        is_loaded, loaded_at = quiet.run_id == run.run_id, _instant(quiet.at)
    problem = metadata.get(PROBLEM) if is_loaded else run.error
    unavailable = None if is_loaded else run.unavailable.get(name)
    state: State = "ok" if is_loaded and problem is None else "failed"
    if unavailable is not None:
        state, problem = "unavailable", None
    covered_until = _instant(metadata.get(COVERED_UNTIL))
    # Materializing an old partition makes a table no fresher.
    fresh_at = covered_until or loaded_at
    return TableStatus(
        table=name,
        state="running" if run.is_running else state,
        rows=metadata.get(ROW_COUNT),
        loaded_at=loaded_at,
        loaded_rows=metadata.get(ROWS_LOADED),
        rejected_rows=metadata.get(ROWS_REJECTED),
        is_stale=fresh_at is not None and fresh_at < stale_before and unavailable is None,
        covered_since=_instant(metadata.get(COVERED_SINCE)),
        covered_until=covered_until,
        windows=metadata.get(COVERED_WINDOWS),
        started_at=run.started_at,
        ended_at=run.ended_at,
        run_id=run.run_id,
        error=None if run.is_running else problem,
        unavailable=None if run.is_running else unavailable,
    )


def _run(
    instance: dg.DagsterInstance, run_id: str, record: dg.RunRecord | None, *, is_alive: bool
) -> _Run:
    if record is None:  # it was deleted
        return _Run(run_id, None, None, is_running=False, error="its run was deleted")
    run = record.dagster_run
    began = _instant(record.start_time) or record.create_timestamp
    is_running = is_alive and not run.is_finished
    is_well = is_running or run.status is dg.DagsterRunStatus.SUCCESS
    error = None if is_well else _why_it_failed(instance, run_id)
    return _Run(
        run_id,
        began,
        _instant(record.end_time),
        is_running=is_running,
        error=error,
        unavailable=_unavailable(instance, run_id),
    )


def _unavailable(instance: dg.DagsterInstance, run_id: str) -> dict[str, str]:
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_OBSERVATION)
    return unavailable_tables(entry.dagster_event for entry in entries if entry.dagster_event)


def _why_it_failed(instance: dg.DagsterInstance, run_id: str) -> str | None:
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        if entry.dagster_event and (text := failure_description(entry.dagster_event)):
            return text
    return "its run ended without an error message: see the run's log"


def _instant(seconds: Any) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
