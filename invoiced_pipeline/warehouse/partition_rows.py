"""Rows of a table by the day of their last change, from which partitions are counted."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.warehouse.database import Session
from invoiced_pipeline.windows import Window, to_epoch

_CHUNK = 1_000
"""Values in one statement."""

_MOST_WINDOWS = 50
"""Ranges in one statement; more ranges are read as one."""

_FIRST_DAY = date(1970, 1, 1)


def rows_by_day(session: Session, of: Table, windows: Sequence[Window]) -> Counter[date]:
    """Counts rows, marked ones included, whose `updated_at` lies in some disjoint windows.

    DuckDB reads only the blocks that hold rows of those windows, by each block's bounds.
    """
    if not windows:
        return Counter()
    if len(windows) > _MOST_WINDOWS:
        windows = [Window(windows[0].start, windows[-1].end)]
    stamp, is_epoch = of.replication_key, _is_epoch(of)
    ranges = " or ".join([f"({stamp} >= %s and {stamp} < %s)"] * len(windows))
    bounds = [bound for window in windows for bound in (window.start, window.end)]
    sql = f"select {_day(of)} as day, count(*) from {of.name} where {ranges} group by 1"  # noqa: S608
    rows = session.rows(sql, [to_epoch(bound) if is_epoch else bound for bound in bounds])
    return Counter({_as_date(day): count for day, count in rows})


def days_of(session: Session, of: Table, ids: Sequence[Any]) -> set[date]:
    """Returns the days on which the rows of some ids were last changed; ids need not exist."""
    found: set[date] = set()
    for start in range(0, len(ids), _CHUNK):
        some = ids[start : start + _CHUNK]
        places = ", ".join(["%s"] * len(some))
        sql = (
            f"select distinct {_day(of)} as day from {of.name} "  # noqa: S608 - our own names
            f"where {of.primary_key} in ({places}) and {of.replication_key} is not null"
        )
        found.update(_as_date(day) for (day,) in session.rows(sql, some))
    return found


def _day(of: Table) -> str:
    stamp = of.replication_key
    return f"floor({stamp} / 86400.0)" if _is_epoch(of) else f"cast({stamp} as date)"


def _is_epoch(of: Table) -> bool:
    return of.column(of.replication_key).type == "bigint"


def _as_date(day: Any) -> date:
    return day if isinstance(day, date) else _FIRST_DAY + timedelta(days=int(day))
