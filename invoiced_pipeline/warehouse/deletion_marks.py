"""Deletion marks: rows whose records are gone are marked in the warehouse, or removed.

Every access is short: one connection and one transaction of plain SQL, and none if there is nothing
to mark.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from invoiced_pipeline.catalog import TABLES, Table, table
from invoiced_pipeline.settings import Deletions
from invoiced_pipeline.warehouse.check_memory import forget_counts, loads_after, note_due
from invoiced_pipeline.warehouse.database import Database, Session
from invoiced_pipeline.windows import to_epoch

_CHUNK = 1_000
"""Values in one statement."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Says that rows of `table` whose `column` holds `value` are gone since `at` (UTC).

    Rows with an `updated_at` after `at` stay: such a record existed again later.
    """

    table: str
    column: str
    value: int | str
    at: datetime
    is_certain: bool = False
    """Whether the API was just asked for the record and does not have it. Then `updated_at` is not
    compared, because `at` may come from another clock."""


@dataclass(frozen=True, slots=True)
class KnownIds:
    """The ids of a table's rows: of records that exist, and of records known to be gone."""

    present: frozenset[Any] = frozenset()
    gone: frozenset[Any] = frozenset()


@dataclass(frozen=True, slots=True)
class LoadedAlone:
    """Rows of one table without a row of the same id in another.

    Attributes:
        records: Their ids.
        until: The last load (dlt's id) that was looked at; None if there was none.
    """

    records: tuple[Any, ...] = ()
    until: str | None = None


class Marks:
    """The deletion marks of one dataset.

    Args:
        database: The warehouse; the caller holds the writer's lock.
        dataset: The schema.
        deletions: What to do with rows whose records are gone.
    """

    def __init__(self, database: Database, dataset: str, deletions: Deletions = "mark") -> None:
        self.database = database
        self.dataset = dataset
        self._deletions: Deletions = deletions

    @property
    def are_ignored(self) -> bool:
        """Whether deletions are ignored: nothing is marked or removed."""
        return self._deletions == "ignore"

    def apply(self, marks: Iterable[Mark]) -> Counter[str]:
        """Marks rows that are not marked yet, and their child rows, in one transaction.

        It can be repeated: a row keeps its first mark. Tables that do not exist are skipped.

        Returns:
            How many rows were marked or removed, by table; child rows are not counted.

        Raises:
            WarehouseError: Nothing was marked.
        """
        counts: Counter[str] = Counter()
        groups = _grouped(marks)
        if not groups or self.are_ignored or not self.database.exists():
            return counts
        with self.database.session(self.dataset) as session, session.transaction():
            existing = session.tables(with_column="_deleted_at")
            for (name, column, at, is_certain), values in groups.items():
                if name not in existing:
                    continue
                for some in _chunks(values):
                    ids = _ids(session, table(name), column, some, None if is_certain else at)
                    self._note(session, table(name), existing, ids, at)
                    counts[name] += len(ids)
        return +counts

    def known_ids(self, name: str) -> KnownIds:
        """Returns the ids of all rows of a table; none if it does not exist."""
        key = table(name).primary_key
        sql = f'select "{key}", _deleted_at is not null from "{name}"'  # noqa: S608
        rows = self._select(name, sql)
        return KnownIds(
            frozenset(record for record, is_gone in rows if not is_gone),
            frozenset(record for record, is_gone in rows if is_gone),
        )

    def present(self, name: str, column: str, values: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Returns id and `column` of unmarked rows whose `column` holds one of `values`."""
        key = table(name).primary_key
        found: list[tuple[Any, Any]] = []
        for some in _chunks(values):
            where = f"_deleted_at is null and {_is_one_of(column, some)}"
            sql = f'select "{key}", "{column}" from "{name}" where {where}'  # noqa: S608
            found += self._select(name, sql, some)
        return found

    def versions(self, name: str, column: str) -> dict[Any, tuple[int | None, Any]]:
        """Returns `updated_at` in epoch seconds and another column of unmarked rows, by id."""
        of = table(name)
        stamp = of.replication_key
        sql = (
            f'select "{of.primary_key}", "{stamp}", "{column}" from "{name}" '  # noqa: S608
            "where _deleted_at is null"
        )
        return {
            record: (None if instant is None else to_epoch(instant), value)
            for record, instant, value in self._select(name, sql)
        }

    def loaded_alone(self, name: str, other: str, *, since: str | None) -> LoadedAlone:
        """Returns unmarked rows loaded after `since` without an unmarked row in `other`.

        Args:
            name: The table.
            other: The table that has the same ids.
            since: A load's id, which begins with its time; None for all loads.
        """
        key = table(name).primary_key
        loaded = f'select "{key}" from "{name}" where _deleted_at is null and _dlt_load_id > %s'  # noqa: S608
        with self.database.session(self.dataset, read_only=True) as session:
            if not {name, other} <= session.tables(with_column="_deleted_at"):
                return LoadedAlone(until=since)
            until = max(loads_after(session, since or ""), default=since)
            rows = session.rows(loaded, [since or ""]) if until != since else []
            alone = dict.fromkeys(record for (record,) in rows)
            # Named ids, because DuckDB would hash all ids of the other table for a subquery.
            for some in _chunks(tuple(alone)):
                where = f"_deleted_at is null and {_is_one_of(key, some)}"
                for (record,) in session.rows(f'select "{key}" from "{other}" where {where}', some):  # noqa: S608
                    alone.pop(record, None)
        return LoadedAlone(tuple(alone), until)

    def _select(self, name: str, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        if not self.database.exists():
            return []
        with self.database.session(self.dataset, read_only=True) as session:
            if name not in session.tables(with_column="_deleted_at"):
                return []
            return session.rows(sql, values)

    def _note(
        self,
        session: Session,
        of: Table,
        existing: frozenset[str],
        ids: list[Any],
        at: datetime,
    ) -> None:
        if not ids:
            return
        self._have_checked(session, of, existing, ids)
        columns = {of.name: of.primary_key}
        columns |= {of.child_name(child): of.parent_column for child in of.children}
        for name, column in columns.items():
            if name not in existing:
                continue
            where = _is_one_of(column, ids)
            if self._deletions == "remove":
                session.run(f'delete from "{name}" where {where}', ids)  # noqa: S608
            else:
                sql = f'update "{name}" set _deleted_at = %s where {where}'  # noqa: S608
                session.run(sql, [at, *ids])
        if self._deletions == "remove":
            forget_counts(session, of.name)
        if of.versions_name in existing:  # they stay, also if their record's row is removed
            where = f"{_is_one_of(of.primary_key, ids)} and _deleted_at is null"
            sql = f'update "{of.versions_name}" set _deleted_at = %s where {where}'  # noqa: S608
            session.run(sql, [at, *ids])

    def _have_checked(
        self, session: Session, of: Table, existing: frozenset[str], ids: list[Any]
    ) -> None:
        """Has the next checks look at the records that depend on rows to mark.

        They are those whose balance the rows change, and the children of rows to remove.
        """
        for each in TABLES:
            for applied in each.balance.applied if each.balance else ():
                name, _, array = applied.table.partition("__")
                if name == of.name and {each.name, applied.table} <= existing:
                    column = of.parent_column if array else of.primary_key
                    note_due(
                        session,
                        each.name,
                        "balance",
                        _column_of(session, applied.table, applied.key, column, ids),
                    )
            for key in each.foreign_keys if self._deletions == "remove" else ():
                if key.table == of.name and key.is_checked and each.name in existing:
                    children = _column_of(session, each.name, each.primary_key, key.column, ids)
                    note_due(session, each.name, "foreign_keys", children)


def _column_of(
    session: Session, name: str, wanted: str, column: str, values: Sequence[Any]
) -> list[Any]:
    """Returns the values of a column, but NULL, in rows whose other column has one of `values`."""
    sql = (
        f'select distinct "{wanted}" from "{name}" where {_is_one_of(column, values)} '  # noqa: S608
        f'and "{wanted}" is not null'
    )
    return [value for (value,) in session.rows(sql, values)]


def _grouped(
    marks: Iterable[Mark],
) -> dict[tuple[str, str, datetime, bool], list[int | str]]:
    groups: dict[tuple[str, str, datetime, bool], list[int | str]] = defaultdict(list)
    for mark in marks:
        groups[mark.table, mark.column, mark.at, mark.is_certain].append(mark.value)
    return dict(sorted(groups.items(), key=lambda group: group[0][2]))


def _ids(
    session: Session, of: Table, column: str, values: Sequence[Any], newest: datetime | None
) -> list[Any]:
    """Returns ids of the rows to mark; names come from the catalog, values are parameters."""
    sql = (
        f'select "{of.primary_key}" from "{of.name}" where {_is_one_of(column, values)} '  # noqa: S608
        "and _deleted_at is null"
    )
    if newest is None:
        return [row[0] for row in session.rows(sql, values)]
    stamp = of.column(of.replication_key)
    sql += f' and ("{stamp.name}" is null or "{stamp.name}" <= %s)'
    instant = to_epoch(newest) if stamp.type == "bigint" else newest
    return [row[0] for row in session.rows(sql, [*values, instant])]


def _is_one_of(column: str, values: Sequence[Any]) -> str:
    places = ", ".join(["%s"] * len(values))
    return f'"{column}" in ({places})'


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
