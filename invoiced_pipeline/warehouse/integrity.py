"""Queries that show whether a replica is right, in standard SQL.

Each looks at all rows of a table, or only at those that changed since the last check; `%s` stands
for a value.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from invoiced_pipeline.catalog import Applied, Balance, ForeignKey, Table, table
from invoiced_pipeline.warehouse.check_memory import MOST_DUE, RecordId, limited
from invoiced_pipeline.warehouse.database import Session
from invoiced_pipeline.windows import Coverage, Window

Bounds = tuple[int | None, int | None]

Query = tuple[str, list[Any]]
"""SQL with its values."""

MOST_LISTED = 5_000
"""Changed rows up to which a query names their ids."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The rows that changed since a check.

    Attributes:
        since: The last load (dlt's id) whose rows were checked.
        due: Records to look at again, though no load has changed them.
    """

    since: str
    due: tuple[RecordId, ...] = ()


@dataclass(frozen=True, slots=True)
class Keys:
    """Rows of a table, rows without a key, and rows whose key another row also has.

    Attributes:
        rows: The rows that were looked at.
        missing: Rows without a key.
        doubled: Rows whose key another row has.
        due: The doubled keys; None if there are too many, or rows without a key.
    """

    rows: int
    missing: int
    doubled: int
    due: list[RecordId] | None


@dataclass(frozen=True, slots=True)
class Orphans:
    """Rows whose parent is not in the replica.

    Attributes:
        explained: Rows whose parent may be older than the replica, or newer than its last sync.
        unexplained: Rows whose parent should be there.
        due: The unexplained rows, and those whose parent may be newer; None if there are too many.
        bounds: The least id of parents that the replica must have, and the greatest that it has.
    """

    explained: int
    unexplained: int
    due: list[RecordId] | None
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Sums:
    """Records whose amounts were added up.

    Attributes:
        checked: How many.
        off: How many do not add up.
        first: The first of these.
        due: These, and records that changed too lately to be compared; None if there are too many.
    """

    checked: int
    off: int
    first: int | None
    due: list[RecordId] | None


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
        self._listed: dict[tuple[str, tuple[Any, ...]], Query] = {}

    def keys(self, of: Table, changes: Changes | None = None) -> Keys:
        """Counts the rows whose primary key is NULL or not unique."""
        key, name = of.primary_key, of.name
        where, values = _of_loads(changes)
        ((rows, known),) = self._session.rows(
            f"select count(*), count({key}) from {name} where {where}",  # noqa: S608
            values,
        )
        among, values = self._among(key, of, changes)
        found = self._session.rows(
            f"select {key}, count(*) from {name} where {key} is not null{among} "  # noqa: S608
            f"group by {key} having count(*) > 1",
            values,
        )
        due = limited(record for record, _ in found) if rows == known else None
        return Keys(rows, rows - known, sum(count - 1 for _, count in found), due)

    def rows_in(self, of: Table, window: Window) -> int:
        """Counts rows that are not deleted and whose `updated_at` lies in `window`."""
        stamp = of.replication_key
        ((rows,),) = self._session.rows(
            f"select count(*) from {of.name} where {stamp} >= %s and {stamp} < %s "  # noqa: S608
            "and _deleted_at is null",
            [window.start, window.end],
        )
        return rows

    def basis_of_parents(self, of: Table) -> str:
        """Returns since when the parents of a table are in the replica."""
        return ", ".join(
            f"{key.table} {self._since(key.table)}" for key in of.foreign_keys if key.is_checked
        )

    def orphans(
        self,
        of: Table,
        key: ForeignKey,
        changes: Changes | None = None,
        known: Bounds = (None, None),
    ) -> Orphans | None:
        """Counts rows of `of` whose parent is missing; None if the parent table was never read.

        Ids grow with time. All parents created since the replica's start are in it, so a missing
        parent with a lower id may be older than the start, and one with a higher id was created
        after its table was last read. Text ids do not grow: all their orphans count as explained.

        Args:
            of: The table.
            key: Its column with ids of parents.
            changes: The rows to look at; all if None.
            known: The bounds of the parents' ids when the other rows were looked at.
        """
        parent, since = table(key.table), self._since(key.table)
        if since is None:
            return None
        is_text = parent.column(parent.primary_key).type == "text"
        bounds = (None, None) if is_text else self._bounds(parent, since, changes, known)
        if changes is not None and known[0] is None and bounds[0] is not None:
            # All orphans were explained as long as there was no parent to compare them with.
            changes, bounds = None, self._bounds(parent, since, None, (None, None))
        among, values = self._among(f"child.{of.primary_key}", of, changes)
        orphans = (
            f"from {of.name} as child left join {key.table} as known "
            f"on known.id = child.{key.column} where child.{key.column} is not null "
            f"and known.id is null and child._deleted_at is null{among}"
        )
        if is_text or bounds[0] is None:
            ((found,),) = self._session.rows(f"select count(*) {orphans}", values)
            return Orphans(found, 0, [], bounds)
        low, high = bounds
        newer = f"child.{key.column} > {high}" if high is not None else "true"
        ((found, older, late),) = self._session.rows(
            f"select count(*), count(case when child.{key.column} < {low} then 1 end), "
            f"count(case when {newer} then 1 end) {orphans}",
            values,
        )
        if found == older:
            return Orphans(found, 0, [], bounds)
        rows = self._session.rows(
            f"select child.{of.primary_key} {orphans} and child.{key.column} >= {low} "
            f"limit {MOST_DUE + 1}",
            values,
        )
        due = limited(record for (record,) in rows)
        return Orphans(older + late, found - older - late, due, bounds)

    def basis_of_sums(self, of: Table, balance: Balance) -> str | None:
        """Returns since when amounts of a table can be compared; None if they cannot.

        They cannot if a table that they need was never read, or has rows that were loaded without a
        column they need.
        """
        sources = _sources(balance)
        starts = [self._since(name) for name in sources]
        ends = [self._until(name) for name in (*sources, of.name)]
        needed = balance.sources(of.name).items()
        lacks = any(self.gaps.get(name, frozenset()) & words for name, words in needed)
        if None in starts or None in ends or lacks:
            return None
        return str(max(start for start in starts if start))

    def sums(self, of: Table, balance: Balance, changes: Changes | None = None) -> Sums:
        """Counts records whose balance does not follow from their total; see `basis_of_sums`.

        Left out are records from before the replica's start, because what was applied to them may
        be missing, and records that changed since any of the tables was read.
        """
        sources = _sources(balance)
        horizon = min(filter(None, map(self._until, (*sources, of.name))))
        older = [] if sources == {of.name} else [max(filter(None, map(self._since, sources)))]
        chosen, values = ("", [])
        if changes is not None:
            sql, values = self._ids(_changed_parts(of, balance, changes))
            chosen = f"changed as ({sql}), "
        among = " and {} in (select id from changed)" if changes is not None else ""
        applied = " union all ".join(_applied(each, among) for each in balance.applied)
        compared = f"""
            with {chosen}applied as (
                select record, sum(amount) as amount, max(changed) as changed
                from ({applied}) as parts group by record
            ), compared as (
                select owed.id, owed.{balance.column} = owed.{balance.total}
                        - coalesce(applied.amount, 0) as fits,
                    owed.updated_at < %s and (applied.changed is null or applied.changed < %s)
                        as is_settled,
                    owed.updated_at >= %s or applied.changed >= %s as is_late
                from {of.name} as owed left join applied on applied.record = owed.id
                where owed._deleted_at is null and {balance.where}
                    {"and owed.created_at >= %s" if older else ""}{among.format("owed.id")}
            )
        """  # noqa: S608 - names and conditions of the catalog
        values = [*values, *[horizon] * 4, *older]
        ((checked, off, first, late),) = self._session.rows(
            f"""{compared}
            select count(case when is_settled then 1 end),
                count(case when is_settled and not fits then 1 end),
                min(case when is_settled and not fits then id end),
                count(case when is_late then 1 end)
            from compared
            """,  # noqa: S608 - names and conditions of the catalog
            values,
        )
        due = ()
        if off or late:
            wanted = "is_late or (is_settled and not fits)"
            sql = f"{compared} select id from compared where {wanted}"  # noqa: S608
            due = (record for (record,) in self._session.rows(sql, values))
        return Sums(checked, off, first, limited(due))

    def _among(self, key: str, of: Table, changes: Changes | None) -> Query:
        """Returns the condition for the keys of rows to look at."""
        if changes is None:
            return "", []
        sql, values = self._ids([_changed(of, changes)])
        return f" and {key} in ({sql})", values

    def _ids(self, parts: Iterable[Query]) -> Query:
        """Returns the query of some ids, which names them if they are few.

        DuckDB does not know how few rows a subquery has. It would then hash the whole table that is
        searched for them: 0.6 s and 400 MB for 2 million invoices (measured with DuckDB 2.0).
        """
        queries = list(parts)
        sql = " union ".join(sql for sql, _ in queries)
        values = [value for _, some in queries for value in some]
        known = self._listed.get((sql, tuple(values)))
        if known is None:
            found = self._session.rows(
                f"select id from ({sql}) as changed where id is not null limit {MOST_LISTED + 1}",  # noqa: S608
                values,
            )
            if len(found) > MOST_LISTED:
                known = (sql, values)
            elif found:
                known = _named([record for (record,) in found])
            else:
                known = (f"select id from ({sql}) as changed where false", values)  # noqa: S608
            self._listed[sql, tuple(values)] = known
        return known

    def _bounds(
        self, parent: Table, since: datetime, changes: Changes | None, known: Bounds
    ) -> Bounds:
        where, values = _of_loads(changes)
        (found,) = self._session.rows(
            "select min(case when created_at >= %s then id end), max(id) "  # noqa: S608
            f"from {parent.name} where {where}",
            [since, *values],
        )
        low, high = ([each for each in pair if each is not None] for pair in zip(found, known))  # noqa: B905 - pairs
        return min(low, default=None), max(high, default=None)

    def _since(self, name: str) -> datetime | None:
        """Returns the start of the newest window of the coverage."""
        windows = self.coverages.get(name, Coverage()).windows
        return windows[-1].start if windows else None

    def _until(self, name: str) -> datetime | None:
        return self.coverages.get(name, Coverage()).until


def _named(ids: list[RecordId]) -> Query:
    """Returns a query of these ids."""
    places = ", ".join(["(%s)"] * len(ids))
    return f"select id from (values {places}) as listed (id)", [*ids]  # noqa: S608


def _of_loads(changes: Changes | None) -> Query:
    """Returns the condition for rows of later loads, with its values."""
    return ("true", []) if changes is None else ("_dlt_load_id > %s", [changes.since])


def _changed(of: Table, changes: Changes) -> Query:
    sql = f"select {of.primary_key} as id from {of.name} where _dlt_load_id > %s"  # noqa: S608
    if not changes.due:
        return sql, [changes.since]
    places = ", ".join(["%s"] * len(changes.due))
    sql += f" union select {of.primary_key} from {of.name} where {of.primary_key} in ({places})"  # noqa: S608
    return sql, [changes.since, *changes.due]


def _changed_parts(of: Table, balance: Balance, changes: Changes) -> Iterator[Query]:
    """Yields queries of the records to add up again: changed themselves, or by what was applied."""
    yield _changed(of, changes)
    for each in balance.applied:
        sql = f"select {each.key} as id from {each.table} where _dlt_load_id > %s"  # noqa: S608
        yield sql, [changes.since]


def _sources(balance: Balance) -> set[str]:
    """Returns the tables whose rows are applied."""
    return {applied.table.split("__")[0] for applied in balance.applied}


def _applied(applied: Applied, among: str) -> str:
    return (
        f"select {applied.key} as record, {applied.amount} as amount, "  # noqa: S608
        f"{applied.changed} as changed from {applied.table} "
        f"where {applied.key} is not null and {applied.where}{among.format(applied.key)}"
    )
