"""Runs by day, and the latest ones: rows, duration, errors."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from invoiced_pipeline.plurals import counted
from invoiced_pipeline.report.charts import Point, Series, stacked_columns
from invoiced_pipeline.report.colours import BLUE, NOT_DUE, PURPLE
from invoiced_pipeline.report.exhibit import Column, Exhibit, Table, text_column
from invoiced_pipeline.report.extractions.period import DAYS, Period
from invoiced_pipeline.report.formats import day, duration, minute

LATEST = 15

_FIRST = Series("first load", NOT_DUE)
_CHANGES = Series("new and changed", BLUE)
_AGAIN = Series("read again", PURPLE)


class Run(NamedTuple):
    """A sync or sweep, over all its tables; instants are UTC."""

    run_id: str
    mode: str
    started_at: datetime
    finished_at: datetime
    tables: int
    failed: int
    first_rows: int
    changed_rows: int
    reread_rows: int
    deleted: int
    rejected: int
    requests: int
    error: str | None

    @property
    def rows(self) -> int:
        """Records loaded."""
        return self.first_rows + self.changed_rows + self.reread_rows

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def outcome(self) -> str:
        """Whether all tables succeeded."""
        return f"{counted(self.failed, 'table')} failed" if self.failed else "succeeded"


def read_runs(period: Period) -> list[Run]:
    """Returns the period's runs, oldest first."""
    rows = period.session.rows(
        """
        select run_id, min(mode), min(started_at), max(finished_at), count(*),
            sum(case when status = 'failed' then 1 else 0 end),
            sum(case when coverage_before = 'nothing' then "rows" else 0 end),
            sum(case when coverage_before <> 'nothing' and mode = 'sync' then "rows" else 0 end),
            sum(case when coverage_before <> 'nothing' and mode <> 'sync' then "rows" else 0 end),
            sum(deleted_rows), sum(rejected_rows), sum(requests),
            min(case when status = 'failed' then error end)
        from _sync_log where status <> 'skipped' and finished_at >= %s
        group by run_id order by max(finished_at)
        """,
        [period.since],
    )
    return [Run._make((*row[:4], *map(int, row[4:12]), row[12])) for row in rows]


def runs_by_day(period: Period, runs: Sequence[Run]) -> Exhibit:
    """Returns runs by the day on which they ended."""
    days: dict[date, list[Run]] = defaultdict(list)
    for run in runs:
        days[run.finished_at.date()].append(run)
    parts = ((_FIRST, "first_rows"), (_CHANGES, "changed_rows"), (_AGAIN, "reread_rows"))
    points = [
        Point(str(on), float(rows), series.name)
        for on, found in days.items()
        for series, name in parts
        if (rows := sum(getattr(run, name) for run in found))
    ]
    used = {point.series for point in points}
    columns = (
        *("Runs", "Failed", "First load", "New and changed", "Read again", "Rows loaded"),
        *("Requests", "Time", "Longest run"),
    )
    return Exhibit(
        name="runs_by_day",
        title=_title(runs),
        table=Table(
            "Runs by day (UTC)",
            (text_column("Day"), *map(Column, columns)),
            [_day_cells(on, found) for on, found in sorted(days.items(), reverse=True)],
        ),
        chart=stacked_columns(
            points, period.labels(), [series for series, _ in parts if series.name in used]
        )
        if points
        else None,
        note="Rows loaded by day. The first load of a table is apart from what changed later; "
        "sweeps and chosen partitions read rows again.",
    )


def latest_runs(runs: Sequence[Run]) -> Exhibit:
    """Returns the latest runs, one by one."""
    shown = list(reversed(runs[-LATEST:]))
    failed = [run for run in shown if run.failed]
    title = f"{len(failed)} of the last {counted(len(shown), 'run')} failed"
    if not failed:
        title = "No runs yet" if not shown else "All of the last runs succeeded"
    columns = (
        *map(text_column, ("Started (UTC)", "Kind")),
        *map(Column, ("Tables", "Rows loaded", "Requests", "Time")),
        *map(text_column, ("Outcome", "Run", "Error")),
    )
    return Exhibit(
        name="latest_runs",
        title=title,
        table=Table(
            "Latest runs",
            columns,
            [
                [
                    minute(run.started_at),
                    run.mode,
                    *(f"{each:,}" for each in (run.tables, run.rows, run.requests)),
                    duration(run.seconds),
                    run.outcome,
                    run.run_id[:8],
                    run.error or "",
                ]
                for run in shown
            ],
        ),
        note="A run is named by the first eight characters of its ID in Dagster.",
    )


def _day_cells(on: date, runs: Sequence[Run]) -> list[str]:
    counts = (
        len(runs),
        sum(bool(run.failed) for run in runs),
        *(
            sum(getattr(run, name) for run in runs)
            for name in ("first_rows", "changed_rows", "reread_rows", "rows", "requests")
        ),
    )
    seconds = [run.seconds for run in runs]
    return [
        day(on),
        *(f"{each:,}" for each in counts),
        duration(sum(seconds)),
        duration(max(seconds)),
    ]


def _title(runs: Sequence[Run]) -> str:
    if not runs:
        return f"No runs in the last {DAYS} days"
    rows = sum(run.rows for run in runs)
    failed = sum(bool(run.failed) for run in runs)
    ended = f"{failed} failed" if failed else "none failed"
    return f"{counted(len(runs), 'run')} in {DAYS} days loaded {counted(rows, 'row')}; {ended}"
