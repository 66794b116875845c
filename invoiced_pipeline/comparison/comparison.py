"""The comparison of two replicas of one account, row by row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from invoiced_pipeline.catalog import Column, Table
from invoiced_pipeline.comparison.keyed_rows import Row, keyed_rows
from invoiced_pipeline.comparison.old_table import OldTable, find_table
from invoiced_pipeline.comparison.report import ONLY_NEW, ONLY_OLD, Finding, TableComparison, Total
from invoiced_pipeline.comparison.values import are_equal, instant, number
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.database import Session

_AMOUNTS = ("total", "balance", "amount")
_PRICES = frozenset({"plans"})
"""Tables whose amounts are prices: their sum means nothing."""

_TREATMENTS = {
    "excluded": "left out by the settings",
    "hashed": "hashed",
    "dropped": "dropped",
}


def compare_tables(
    old: Session, new: Session, tables: Sequence[Table]
) -> Iterator[TableComparison]:
    """Compares tables, one after another; a table that cannot be compared has a `problem`.

    Args:
        old: On the other replica; its dataset is the schema.
        new: On this project's dataset.
        tables: As the connection selects them, with the treatment of their columns.

    Raises:
        WarehouseError: The list of tables cannot be read.
    """
    theirs = old.relations([old.dataset])
    ours = {each.name for each in new.relations([new.dataset]) if not each.is_view}
    for table in tables:
        found = find_table(theirs, table)
        result = TableComparison(table.name, found.relation.name if found else None)
        if found is None:
            pass
        elif missing := found.lacks(table):
            result.problem = f"{found.relation.name} has no column {' and no '.join(missing)}"
        elif table.name not in ours:
            result.problem = "it is not in the new replica yet: sync it first"
        else:
            try:
                _TablePair(old, new, table, found, result).compare()
            except WarehouseError as error:
                result.problem = f"it cannot be read: {error}"
        yield result


class _TablePair:
    """A table in both replicas.

    Attributes:
        columns: The columns that are compared.
        read: Names in lower case of all columns that are read from the other replica.
    """

    def __init__(
        self, old: Session, new: Session, table: Table, found: OldTable, result: TableComparison
    ) -> None:
        self._old, self._new = old, new
        self._table, self._found, self._result = table, found, result
        self.columns = [
            column
            for column in table.columns
            if column.name in found.columns and column.treatment == "kept"
        ]
        deletion = found.deletion_column
        self.read = [each.name for each in self.columns] + ([deletion] if deletion else [])
        self._version = [each.name for each in self.columns].index(table.replication_key)
        self._key = table.column(table.primary_key)

    def compare(self) -> None:
        """Fills in the result."""
        result = self._result
        result.not_compared = _not_compared(self._table, self._found)
        result.oldest = self._oldest()
        for key, theirs, ours in _merged(self._their_rows(), self._our_rows()):
            result.old_rows += len(theirs)
            result.new_rows += len(ours)
            if theirs and ours:
                result.surplus += len(theirs) - 1
                self._both(key, self._newest(theirs), ours[0])
            elif theirs:
                self._only_old(key, self._newest(theirs))
            elif ours[0][-1] is None:
                result.only_in_new.add(key)
                self._add_up(None, ours[0])
            else:
                result.deleted += 1

    def _their_rows(self) -> Iterator[tuple[Any, list[Row]]]:
        names = self._found.columns
        key = replace(self._key, name=names[self._key.name])
        name = self._old.qualified(self._old.dataset, self._found.relation.name)
        return keyed_rows(self._old, name, key, [names[each] for each in self.read])

    def _our_rows(self) -> Iterator[tuple[Any, list[Row]]]:
        name = self._new.qualified(self._new.dataset, self._table.name)
        names = [*(each.name for each in self.columns), "_deleted_at"]
        return keyed_rows(self._new, name, self._key, names)

    def _oldest(self) -> datetime | None:
        name = self._new.qualified(self._new.dataset, self._table.name)
        sql = f'select min("{self._table.replication_key}") from {name}'  # noqa: S608 - our own names
        return instant(self._new.rows(sql)[0][0])

    def _newest(self, rows: list[Row]) -> Row:
        return rows[0] if len(rows) == 1 else max(rows, key=self._age)

    def _age(self, row: Row) -> float:
        found = self._instant(row)
        return found.timestamp() if found else float("-inf")

    def _instant(self, row: Row) -> datetime | None:
        try:
            return instant(row[self._version])
        except (ValueError, ArithmeticError, OSError):
            return None

    def _is_deleted(self, old: Row) -> bool:
        """Whether the other replica marks a row: by `true`, or by a time."""
        if self._found.deletion_column is None:
            return False
        mark = str(old[len(self.columns)] or "").strip().lower()
        return mark not in {"", "false", "f", "0"}

    def _only_old(self, key: Any, old: Row) -> None:
        result = self._result
        if self._is_deleted(old):
            result.deleted += 1
            return
        result.only_in_old.add(key)
        changed = self._instant(old)
        result.before_oldest += bool(changed and result.oldest and changed < result.oldest)
        self._add_up(old, None)

    def _both(self, key: Any, old: Row, new: Row) -> None:
        result = self._result
        is_gone, is_marked = new[-1] is not None, self._is_deleted(old)
        if is_gone or is_marked:
            result.deleted += 1
            if is_marked and not is_gone:
                result.deleted_in_old.add(key)
            elif not is_marked and self._found.deletion_column is not None:
                result.deleted_in_new.add(key)
            return
        self._add_up(old, new)
        theirs, ours = self._instant(old), self._instant(new)
        if theirs != ours and theirs and ours:
            (result.older_in_old if theirs < ours else result.older_in_new).add(key)
            return
        for place, column in enumerate(self.columns):
            if not are_equal(column.type, old[place], new[place]):
                result.columns.setdefault(column.name, Finding()).add(key)

    def _add_up(self, old: Row | None, new: Row | None) -> None:
        names = [each.name for each in self.columns]
        if "currency" not in names or self._table.name in _PRICES:
            return
        place = names.index("currency")
        for name in _AMOUNTS:
            if name not in names:
                continue
            for side, row in (("old", old), ("new", new)):
                if row is not None:
                    currency = str(row[place] or "").lower()
                    total = self._result.totals.setdefault((currency, name), Total())
                    setattr(total, side, getattr(total, side) + _amount(row[names.index(name)]))


def _merged(
    theirs: Iterator[tuple[Any, list[Row]]], ours: Iterator[tuple[Any, list[Row]]]
) -> Iterator[tuple[Any, list[Row], list[Row]]]:
    """Yields every key with the rows of both sides; both come in the order of the keys."""
    old, new = next(theirs, None), next(ours, None)
    while old is not None and new is not None:
        key = min(old[0], new[0])
        yield key, old[1] if old[0] == key else [], new[1] if new[0] == key else []
        old = next(theirs, None) if old[0] == key else old
        new = next(ours, None) if new[0] == key else new
    if old is not None:
        yield from ((key, rows, []) for key, rows in chain([old], theirs))
    if new is not None:
        yield from ((key, [], rows) for key, rows in chain([new], ours))


def _amount(value: Any) -> Decimal:
    """Reads an amount; a float as its shortest decimal, which is what the tool was sent."""
    try:
        found = number(value)
    except ArithmeticError:
        return Decimal()
    return Decimal(str(found)) if found is not None else Decimal()


def _not_compared(table: Table, found: OldTable) -> dict[str, str]:
    """Returns columns that were not compared, and why; without the tools' own columns."""
    known: Mapping[str, Column] = {each.name: each for each in table.columns}
    reasons = {
        name: _TREATMENTS[column.treatment]
        for name, column in known.items()
        if column.treatment != "kept" and name in found.columns
    }
    for name in found.columns:
        if name not in known and not name.startswith("_"):
            reasons[name] = ONLY_OLD
    for name in known:
        if name not in found.columns:
            reasons[name] = ONLY_NEW
    return reasons
