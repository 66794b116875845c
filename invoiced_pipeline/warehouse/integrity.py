"""Queries that show whether a replica is right, in standard SQL.

Every query reads each table once; `%s` stands for a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from invoiced_pipeline.catalog import Applied, Balance, ForeignKey, Table, table
from invoiced_pipeline.warehouse.database import Session
from invoiced_pipeline.windows import Coverage, Window

_OUTSIDE = "parent.low is null or child.{0} < parent.low or child.{0} > parent.high"


@dataclass(frozen=True, slots=True)
class Keys:
    """Rows of a table, rows without a key, and rows whose key another row also has."""

    rows: int
    missing: int
    doubled: int


@dataclass(frozen=True, slots=True)
class Orphans:
    """Rows whose parent is not in the replica.

    Attributes:
        explained: Rows whose parent may be older than the replica, or newer than its last sync.
        unexplained: Rows whose parent should be there.
    """

    explained: int
    unexplained: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Records whose amounts were added up, those that do not add up, and the first of these."""

    checked: int
    off: int
    first: int | None


class Integrity:
    """Queries one dataset.

    Attributes:
        coverages: The coverage by table; a table that is missing was never read.
        gaps: Columns and arrays that some rows of a table were loaded without, by table.
    """

    def __init__(
        self,
        session: Session,
        coverages: Mapping[str, Coverage],
        gaps: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.coverages = coverages
        self.gaps = gaps or {}
        self._session = session

    def keys(self, of: Table) -> Keys:
        """Counts the rows whose primary key is NULL or not unique."""
        key = of.primary_key
        ((rows, known, distinct),) = self._session.rows(
            f"select count(*), count({key}), count(distinct {key}) from {of.name}"  # noqa: S608
        )
        return Keys(rows, rows - known, known - distinct)

    def rows_in(self, of: Table, window: Window) -> int:
        """Counts rows that are not deleted and whose `updated_at` lies in `window`."""
        stamp = of.replication_key
        ((rows,),) = self._session.rows(
            f"select count(*) from {of.name} where {stamp} >= %s and {stamp} < %s "  # noqa: S608
            "and _deleted_at is null",
            [window.start, window.end],
        )
        return rows

    def orphans(self, of: Table, key: ForeignKey) -> Orphans | None:
        """Counts rows of `of` whose parent is missing; None if the parent table was never read.

        Ids grow with time. All parents created since the replica's start are in it, so a missing
        parent with a lower id may be older than the start, and one with a higher id was created
        after its table was last read. Text ids do not grow: all their orphans count as explained.
        """
        parent, since = table(key.table), self._since(key.table)
        if since is None:
            return None
        first, outside, values = "min(case when created_at >= %s then id end)", _OUTSIDE, (since,)
        if parent.column(parent.primary_key).type == "text":
            first, outside, values = "min(id)", "child.{0} is not null", ()
        ((orphans, explained),) = self._session.rows(
            f"""
            with parent as (
                select {first} as low, max(id) as high from {key.table}
            )
            select count(*), coalesce(sum(case when {outside.format(key.column)} then 1 end), 0)
            from {of.name} as child
            cross join parent
            left join {key.table} as known on known.id = child.{key.column}
            where child.{key.column} is not null and known.id is null
                and child._deleted_at is null
            """,  # noqa: S608 - names of the catalog
            values,
        )
        return Orphans(int(explained), int(orphans - explained))

    def sums(self, of: Table, balance: Balance) -> Sums | None:
        """Counts records whose balance does not follow from their total; None if not comparable.

        Not comparable means that a table it needs was never read, or has rows that were loaded
        without a column it needs.

        Left out are records from before the replica's start, because what was applied to them may
        be missing, and records that changed since any of the tables was read.
        """
        sources = {applied.table.split("__")[0] for applied in balance.applied}
        starts = [self._since(name) for name in sources]
        ends = [self._until(name) for name in (*sources, of.name)]
        needed = balance.sources(of.name).items()
        lacks = any(self.gaps.get(name, frozenset()) & words for name, words in needed)
        if None in starts or None in ends or lacks:
            return None
        parts = " union all ".join(map(_applied, balance.applied))
        older = [] if sources == {of.name} else [max(start for start in starts if start)]
        horizon = min(end for end in ends if end)
        ((checked, off, first),) = self._session.rows(
            f"""
            with applied as (
                select record, sum(amount) as amount, max(changed) as changed
                from ({parts}) as parts group by record
            ), compared as (
                select owed.id, owed.{balance.column} = owed.{balance.total}
                    - coalesce(applied.amount, 0) as fits
                from {of.name} as owed left join applied on applied.record = owed.id
                where owed._deleted_at is null and {balance.where}
                    and owed.updated_at < %s and (applied.changed is null or applied.changed < %s)
                    {"and owed.created_at >= %s" if older else ""}
            )
            select count(*), coalesce(sum(case when not fits then 1 end), 0),
                min(case when not fits then id end)
            from compared
            """,  # noqa: S608 - names and conditions of the catalog
            [horizon, horizon, *older],
        )
        return Sums(checked, int(off), first)

    def _since(self, name: str) -> datetime | None:
        """Returns the start of the newest window of the coverage."""
        windows = self.coverages.get(name, Coverage()).windows
        return windows[-1].start if windows else None

    def _until(self, name: str) -> datetime | None:
        return self.coverages.get(name, Coverage()).until


def _applied(applied: Applied) -> str:
    return (
        f"select {applied.key} as record, {applied.amount} as amount, "  # noqa: S608
        f"{applied.changed} as changed from {applied.table} "
        f"where {applied.key} is not null and {applied.where}"
    )
