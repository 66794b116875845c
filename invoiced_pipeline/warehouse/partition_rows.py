"""Rows of a table by the day of their last change, from which partitions are counted.

A day is a number of days since 1970, because rows of absurd times have no date in Python.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.warehouse.database import Session
from invoiced_pipeline.windows import Window, to_epoch

_CHUNK = 1_000
"""Values in one statement."""

_MOST_WINDOWS = 50
"""Ranges in one statement; more ranges are read as one."""

SECONDS_OF_DAY = 86_400


def rows_by_day(session: Session, of: Table, windows: Sequence[Window]) -> Counter[int]:
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
    return Counter({int(day): count for day, count in rows})


def days_of(session: Session, of: Table, ids: Sequence[Any]) -> Counter[int | None] | None:
    """Counts the rows of some ids, which need not exist, by the day of their last change.

    Returns:
        Rows without `updated_at` count for None. None if a row is of a load that did not complete:
        it has replaced another one, which nobody knows any more.
    """
    found: Counter[int | None] = Counter()
    for start in range(0, len(ids), _CHUNK):
        some = ids[start : start + _CHUNK]
        places = ", ".join(["%s"] * len(some))
        sql = (
            f"select {_day(of)} as day, count(*), count(case when _dlt_load_id not in "  # noqa: S608 - our own names
            f"(select load_id from _dlt_loads) then 1 end) from {of.name} "
            f"where {of.primary_key} in ({places}) group by 1"
        )
        for day, count, incomplete in session.rows(sql, some):
            if incomplete:
                return None
            found[None if day is None else int(day)] += count
    return found


def _day(of: Table) -> str:
    stamp = of.replication_key
    seconds = stamp if _is_epoch(of) else f"extract(epoch from {stamp})"
    return f"floor({seconds} / {SECONDS_OF_DAY}.0)"


def _is_epoch(of: Table) -> bool:
    return of.column(of.replication_key).type == "bigint"
