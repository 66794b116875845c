"""What Dagster's records say about a connection's tables, as `status` judges them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import dagster as dg

from invoiced_pipeline.alerts.incident import Finding, Key, Kind
from invoiced_pipeline.alerts.reasons import CHECK_FAILED, NO_MESSAGE, REJECTS, SWEEP_REFUSED
from invoiced_pipeline.defs.alerts.run_outcome import parts_that_failed
from invoiced_pipeline.defs.runs.failure import FailedPart
from invoiced_pipeline.defs.status import TableStatus, table_statuses
from invoiced_pipeline.settings import ConnectionSettings, Settings

PARTS = ("deletions", "checks")
"""Parts of a sync that are no tables."""

WHOLE_SWEEP = "sweep"
"""The subject of a sweep that failed as a whole."""

_Parts = Mapping[str, Sequence[FailedPart] | None]
"""What failed, by run; None for a run that was interrupted."""


def table_findings(
    instance: dg.DagsterInstance, settings: Settings, connection: ConnectionSettings, now: datetime
) -> Iterator[Finding]:
    """Yields what is known of the tables at `now` (UTC): loads, rejects, coverage, other parts."""
    tables = table_statuses(instance, settings, connection, now)
    failed = {each.run_id for each in tables if each.run_id and _has_ended(each)}
    runs: _Parts = {run_id: _failed(instance, run_id) for run_id in failed}
    for table in tables:
        yield from _coverage(table, connection, now)
        if table.run_id in runs:
            yield from _last_load(table, runs[table.run_id])
    ended = [each for each in tables if each.run_id in runs and each.ended_at]
    if ended:
        newest = max(ended, key=lambda each: each.ended_at or now)
        yield from _other_parts(newest, runs[newest.run_id or ""])


def _has_ended(table: TableStatus) -> bool:
    return table.state not in {"pending", "running"}


def _failed(instance: dg.DagsterInstance, run_id: str) -> Sequence[FailedPart] | None:
    run = instance.get_run_by_id(run_id)
    if run is not None and run.status is dg.DagsterRunStatus.SUCCESS:
        return []
    return parts_that_failed(instance, run_id)


def _coverage(
    table: TableStatus, connection: ConnectionSettings, now: datetime
) -> Iterator[Finding]:
    if table.covered_until is None:
        return
    reason = f"{connection.fail_after_hours:g}" if table.is_stale else None
    yield Finding(key=Key("stale", table.table), at=now.timestamp(), reason=reason)


def _last_load(table: TableStatus, parts: Sequence[FailedPart] | None) -> Iterator[Finding]:
    """Yields what the last run of a table says about it.

    Args:
        table: Its state.
        parts: What failed in that run; None if it was interrupted.
    """
    own = [each for each in parts or () if each.is_table and each.subject == table.table]
    if table.state != "failed":
        yield _finding("load", table)
        yield _finding("rejects", table)
        # The sweep after a full refresh: the table is loaded all the same.
        yield from (_finding("sweep", table, each) for each in own)
        return
    if parts is None:
        return
    rejects = [each for each in own if each.reason == REJECTS]
    sweeps = [each for each in own if each.reason == SWEEP_REFUSED]
    others = [each for each in own if each.reason not in {REJECTS, CHECK_FAILED, SWEEP_REFUSED}]
    if not own:  # the run failed before it came to the table
        others = [each for each in parts if not each.is_table][:1]
        others = others or [FailedPart(table.table, NO_MESSAGE)]
    yield _finding("load", table, *others)
    if rejects or not others:
        yield _finding("rejects", table, *rejects)
    yield from (_finding("sweep", table, each) for each in sweeps)


def _other_parts(table: TableStatus, parts: Sequence[FailedPart] | None) -> Iterator[Finding]:
    """Yields what the newest run says about the parts of a sync that are no tables."""
    if parts is None:
        return
    failed = {each.subject: each for each in parts if not each.is_table}
    of_tables = {each.reason for each in parts if each.is_table}
    at = _ended(table)
    for part in PARTS:
        found = failed.get(part)
        if found and found.reason in of_tables:
            continue  # the tables' failure says it already
        yield Finding(
            key=Key("part", part),
            at=at,
            reason=found.reason if found else None,
            run_id=table.run_id,
        )
    if sweep := failed.get(WHOLE_SWEEP):
        key = Key("sweep", WHOLE_SWEEP)
        yield Finding(key=key, at=at, reason=sweep.reason, run_id=table.run_id)


def _finding(kind: Kind, table: TableStatus, *parts: FailedPart) -> Finding:
    """Returns that a table is well, or the first of its parts that failed."""
    return Finding(
        key=Key(kind, table.table),
        at=_ended(table),
        reason=parts[0].reason if parts else None,
        run_id=table.run_id,
        count=parts[0].count if parts else 0,
    )


def _ended(table: TableStatus) -> float:
    # A run whose process died has no end until another run finds it.
    at = table.ended_at or table.started_at
    return at.timestamp() if at else 0.0
