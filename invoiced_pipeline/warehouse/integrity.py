"""Questions whose answers tell whether a replica is right, in standard SQL.

Every question reads each table it needs once; `%s` stands for a value.
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
    """Rows of a table, those without a key, and those whose key another row has, too."""

    rows: int
    missing: int
    doubled: int


@dataclass(frozen=True, slots=True)
class Orphans:
    """Rows whose parent is not in the replica.

    Attributes:
        explained: The parent may be older than the replica, or younger than its last sync.
        unexplained: It should be there.
    """

    explained: int
    unexplained: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Records whose money was added up, those where it does not, and the first of them."""

    checked: int
    off: int
    first: int | None


class Integrity:
    """Asks one dataset.

    Attributes:
        coverages: What the dataset covers, by table; a table that is not named was never read.
        gaps: Columns and arrays that some rows of a table were loaded without.
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
        """Whether the primary key is unique and never NULL."""
        key = of.primary_key
        ((rows, known, distinct),) = self._session.rows(
            f"select count(*), count({key}), count(distinct {key}) from {of.name}"  # noqa: S608
        )
        return Keys(rows, rows - known, known - distinct)

    def rows_in(self, of: Table, window: Window) -> int:
        """Rows, deleted ones aside, whose `updated_at` lies in `window`."""
        stamp = of.replication_key
        ((rows,),) = self._session.rows(
            f"select count(*) from {of.name} where {stamp} >= %s and {stamp} < %s "  # noqa: S608
            "and _deleted_at is null",
            [window.start, window.end],
        )
        return rows

    def orphans(self, of: Table, key: ForeignKey) -> Orphans | None:
        """Rows of `of` whose parent is missing; None where its table was never read.

        Ids grow with time. Parents made since the replica's start are all in it, so a missing one
        below the first of them may be older than the start; one above the last of all was made
        after its table was last read. Ids that are texts tell nothing, and explain themselves.
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
        """Whether balances follow from totals; None where that cannot be told.

        A table that it takes was never read, or rows of it were loaded without what it takes.

        Records from before the replica's start are left out, for what was applied to them may be
        missing, and those that moved since any of the tables was read.
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
        """Start of the newest stretch without a gap."""
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
