"""`_sync_log` and its views: system tables in the dataset.

They are written in a separate transaction after the load, because the log must also show loads that
failed.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from typing import Literal

from invoiced_pipeline.catalog.system_tables import SYNC_FRESHNESS, SYNC_STATUS, SYNC_USAGE
from invoiced_pipeline.warehouse.database import Database, Session
from invoiced_pipeline.warehouse.marked_views import View, make_view
from invoiced_pipeline.warehouse.table_layout import TableLayout

Status = Literal["succeeded", "failed", "unavailable", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncLogEntry:
    """What one run did to one table, or a skipped start; instants are UTC.

    Attributes:
        run_id: The Dagster run; None for a skipped start.
        connection: Name of the connection.
        table_name: The table; None for a skipped start.
        mode: `sync`, `window` or `full`; `sweep` for a sweep.
        window_start: Start of what was read; None if there was nothing to read.
        window_end: End of what was read completely, or of what was to be read if the table failed.
        started_at: When its reading began.
        finished_at: When the run's load ended.
        status: `failed` also if all is loaded, but a person should look; `unavailable` if the
            account does not have the table; `skipped` for a skipped start, which the next run adds.
        rows: Records loaded.
        new_rows: Records that were not in the table before.
        deleted_rows: Records found to be deleted.
        rejected_rows: Records that fit no column.
        pages: Pages read.
        requests: Requests, including retries.
        retries: Retries.
        wait_seconds: Seconds of waiting for the API, summed over parallel requests.
        load_seconds: Seconds of the load, for all tables together.
        error: Why it failed, is unavailable or was skipped, or what to look at.
        coverage_before: Windows of `updated_at` that the table covered when the run began.
        coverage_after: Windows that it covers now.
    """

    run_id: str | None
    connection: str
    table_name: str | None
    mode: str
    window_start: datetime | None
    window_end: datetime | None
    started_at: datetime
    finished_at: datetime
    status: Status
    rows: int
    new_rows: int
    deleted_rows: int
    rejected_rows: int
    pages: int
    requests: int
    retries: int
    wait_seconds: float
    load_seconds: float
    error: str | None
    coverage_before: str | None
    coverage_after: str | None


_INSTANTS = {"window_start", "window_end", "started_at", "finished_at"}
_COUNTS = {
    *("rows", "new_rows", "deleted_rows", "rejected_rows"),
    *("pages", "requests", "retries"),
}
_SECONDS = {"wait_seconds", "load_seconds"}

# Names have no schema, which the session sets: so the views still work after the file is renamed,
# as DuckDB names the catalog after it.
_VIEWS = {
    "_sync_status": """
        select connection, table_name, status, mode, run_id, started_at, finished_at, "rows",
            new_rows, deleted_rows, rejected_rows, coverage_after, error
        from (
            select *, row_number() over (
                partition by connection, table_name order by finished_at desc, started_at desc
            ) as recency
            from _sync_log
            where status <> 'skipped' and mode <> 'sweep'
        ) as ranked
        where recency = 1
    """,
    "_sync_freshness": """
        select connection, table_name,
            max(case when coverage_after <> coverage_before or status = 'succeeded'
                then window_end end) as complete_until,
            max(case when status = 'succeeded' then finished_at end) as last_success_at,
            max(finished_at) as last_run_at,
            extract(epoch from current_timestamp - max(
                case when coverage_after <> coverage_before or status = 'succeeded'
                then window_end end)) as age_seconds
        from _sync_log
        where status <> 'skipped' and mode <> 'sweep'
        group by connection, table_name
    """,
    "_sync_usage": """
        select cast(finished_at at time zone 'UTC' as date) as day, connection, table_name,
            sum(case when coverage_before = 'nothing' then "rows" else 0 end) as first_load_rows,
            sum(case when coverage_before <> 'nothing' and mode = 'sync' then "rows" else 0 end)
                as increment_rows,
            sum(case when coverage_before <> 'nothing' and mode <> 'sync' then "rows" else 0 end)
                as reread_rows,
            sum(new_rows) as new_rows,
            count(*) as runs,
            sum(requests) as requests,
            sum("rows") / nullif(sum(
                extract(epoch from finished_at - started_at)), 0) as rows_per_second
        from _sync_log
        where status <> 'skipped'
        group by cast(finished_at at time zone 'UTC' as date), connection, table_name
    """,
}

_TEXTS = {each.name: each.description for each in (SYNC_STATUS, SYNC_FRESHNESS, SYNC_USAGE)}


def write_sync_log(
    database: Database,
    dataset: str,
    entries: Sequence[SyncLogEntry],
    then: Callable[[Session], None] | None = None,
) -> None:
    """Appends to `_sync_log`, and creates it and its views if they are missing.

    Several runs may give the same skipped start: it is added once.

    Args:
        database: The warehouse.
        dataset: The schema.
        entries: What is appended.
        then: Called in the same session after the log is written, because opening a file takes as
            long as writing the log.

    Raises:
        WarehouseError: The warehouse cannot be written.
    """
    with database.session(dataset) as session:
        with session.transaction():
            _append(session, entries)
        if then is not None:
            then(session)


def _append(session: Session, entries: Sequence[SyncLogEntry]) -> None:
    _LAYOUT.create(session)
    known = {each.name: each for each in session.relations([session.dataset])}
    for name, query in _VIEWS.items():
        make_view(session, View(session.dataset, name, query, _TEXTS[name]), known.get(name))
    sql = "select max(started_at) from _sync_log where status = 'skipped'"
    ((noted,),) = session.rows(sql)
    new = [
        entry
        for entry in entries
        if entry.status != "skipped" or noted is None or entry.started_at > noted
    ]
    _LAYOUT.insert(session, [astuple(entry) for entry in new])


def _type(column: str) -> str:
    if column in _INSTANTS:
        return "timestamp with time zone"
    if column in _COUNTS:
        return "bigint"
    return "double precision" if column in _SECONDS else "text"


_LAYOUT = TableLayout(
    name="_sync_log", types={field.name: _type(field.name) for field in fields(SyncLogEntry)}
)
