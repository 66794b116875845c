"""Rows loaded by table and day, the first load apart; and how fresh each table is."""

from collections import defaultdict
from datetime import date, datetime
from typing import NamedTuple

from invoiced_pipeline.plurals import counted
from invoiced_pipeline.report.charts import Point, bars, grid
from invoiced_pipeline.report.colours import BLUE, GREEN
from invoiced_pipeline.report.exhibit import Column, Exhibit, Table, text_column
from invoiced_pipeline.report.extractions.period import DAYS, Period
from invoiced_pipeline.report.formats import day, duration, minute


class _Usage(NamedTuple):
    on: date
    table: str
    first: int
    changed: int
    reread: int


def rows_by_table(period: Period) -> Exhibit:
    """Returns rows loaded by table and day, as they count in `_sync_usage`."""
    usage = _read_usage(period)
    by_table: dict[str, list[_Usage]] = defaultdict(list)
    for each in usage:
        by_table[each.table].append(each)
    recent = [each for each in usage if each.on >= period.days[0] and each.changed]
    points = [Point(str(each.on), float(each.changed), each.table) for each in recent]
    return Exhibit(
        name="rows_by_table",
        title=_title(recent),
        table=Table(
            f"Rows loaded by table; new, changed and read again in the last {DAYS} days",
            (
                *map(text_column, ("Table", "First loaded")),
                *map(Column, ("First load", "New and changed", "Read again", "Days with changes")),
            ),
            [_cells(name, found, period) for name, found in sorted(by_table.items())],
        ),
        chart=grid(points, period.labels(), BLUE) if points else None,
        note="The picture shows new and changed rows by table and day, without first loads: the "
        "stronger the colour, the more.",
    )


def freshness(period: Period) -> Exhibit:
    """Returns up to when every table is complete."""
    rows = period.session.rows(
        "select table_name, complete_until, last_success_at, last_run_at from _sync_freshness "
        "order by table_name"
    )
    ages = {row[0]: _age(row[1], period.now) for row in rows}
    known = {name: age for name, age in ages.items() if age is not None}
    points = [
        Point(name, age, text=duration(age))
        for name, age in sorted(known.items(), key=lambda each: -each[1])
    ]
    return Exhibit(
        name="freshness",
        title=_freshness_title({row[0]: row[1] for row in rows}, known),
        table=Table(
            "Freshness by table (UTC)",
            (
                *map(text_column, ("Table", "Complete up to")),
                Column("Behind"),
                *map(text_column, ("Last success", "Last run")),
            ),
            [
                [
                    name,
                    minute(until) or "never loaded",
                    "" if ages[name] is None else duration(ages[name] or 0),
                    minute(success),
                    minute(ran),
                ]
                for name, until, success, ran in rows
            ],
        ),
        chart=bars(points, GREEN) if points else None,
        note="How long before this report a table's last complete instant was.",
    )


def _read_usage(period: Period) -> list[_Usage]:
    rows = period.session.rows(
        """
        select day, table_name, first_load_rows, increment_rows, reread_rows from _sync_usage
        order by day, table_name
        """
    )
    return [_Usage(on, table, *map(int, counts)) for on, table, *counts in rows]


def _cells(name: str, usage: list[_Usage], period: Period) -> list[str]:
    loads = [each for each in usage if each.first]
    recent = [each for each in usage if each.on >= period.days[0]]
    counts = (
        sum(each.first for each in loads),
        sum(each.changed for each in recent),
        sum(each.reread for each in recent),
        sum(bool(each.changed) for each in recent),
    )
    return [name, day(loads[0].on) if loads else "", *(f"{count:,}" for count in counts)]


def _title(recent: list[_Usage]) -> str:
    if not recent:
        return f"Nothing new in the last {DAYS} days since the first loads"
    changed: dict[str, int] = defaultdict(int)
    for each in recent:
        changed[each.table] += each.changed
    most = max(changed, key=lambda name: changed[name])
    total = counted(sum(changed.values()), "row")
    return f"{total} new or changed in {DAYS} days, most in {most} ({changed[most]:,})"


def _age(until: datetime | None, now: datetime) -> float | None:
    return None if until is None else max(0.0, (now - until).total_seconds())


def _freshness_title(until: dict[str, datetime | None], ages: dict[str, float]) -> str:
    if not until:
        return "No table was loaded yet"
    never = sorted(name for name, instant in until.items() if instant is None)
    if not ages:
        return "No table was loaded completely yet"
    oldest = max(ages, key=lambda name: ages[name])
    title = (
        f"{counted(len(ages), 'table is', 'tables are')} complete up to {minute(until[oldest])} UTC"
    )
    return f"{title}; never loaded: {', '.join(never)}" if never else title
