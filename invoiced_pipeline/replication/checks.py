"""The checks of a table after a load.

A warning means that a person should look, an error that the replica is wrong. A check looks at what
changed since it last looked, and again at what it then found to be wrong.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, Self, TypeGuard

from invoiced_pipeline import plurals
from invoiced_pipeline.catalog import Balance, ForeignKey, Table
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.warehouse.check_memory import (
    CheckMemory,
    RecordId,
    TableMemory,
    limited,
)
from invoiced_pipeline.warehouse.integrity import Bounds, Changes, Integrity

if TYPE_CHECKING:
    from invoiced_pipeline.replication.api_counts import Counted

Check = Literal["primary_key", "foreign_keys", "row_count", "balance", "newest_window"]

DESCRIPTIONS: dict[Check, str] = {
    "primary_key": "Every row has a key, and no two rows have the same. Error.",
    "foreign_keys": "Every parent is in the replica, unless it may be older than the start date. "
    "Warning.",
    "row_count": "The replica has as many records as the API counts in the windows that were read. "
    "Error if it has fewer; warning if it has more, because records change and are deleted.",
    "balance": "Balances equal totals minus payments and credits. Warning.",
    "newest_window": "The coverage reaches up to now. Warning.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check.

    Attributes:
        check: Which check.
        passed: Whether nothing is wrong.
        text: What was found.
        is_error: Whether a failure means that the replica is wrong.
        counts: The figures behind it.
        due: Records that the next check looks at again; None for all records.
        basis: What the outcome depends on besides the rows.
        bounds: See `CheckMemory`.
    """

    check: Check
    passed: bool
    text: str
    is_error: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    due: list[RecordId] | None = field(default_factory=list)
    basis: str = ""
    bounds: dict[str, Bounds] = field(default_factory=dict)

    @classmethod
    def remembered(cls, check: Check, memory: CheckMemory) -> Self:
        """Returns the last outcome of a check again."""
        return cls(
            check,
            memory.passed,
            memory.text,
            is_error=memory.is_error,
            counts=memory.counts,
            due=memory.due,
            basis=memory.basis,
            bounds=memory.bounds,
        )

    @property
    def memory(self) -> CheckMemory:
        """What the next check needs to know of this one."""
        return CheckMemory(
            passed=self.passed,
            text=self.text,
            is_error=self.is_error,
            counts=self.counts,
            due=self.due,
            basis=self.basis,
            bounds=self.bounds,
        )


def checks_of(table: Table) -> tuple[Check, ...]:
    """Returns the checks that a table has, by its declaration in the catalog."""
    has: dict[Check, bool] = {
        "primary_key": True,
        "foreign_keys": any(key.is_checked for key in table.foreign_keys),
        "row_count": table.listing == "windowed",
        "balance": table.balance is not None,
        "newest_window": True,
    }
    return tuple(check for check, wanted in has.items() if wanted)


class TableChecks:
    """The checks of one table.

    Args:
        table: Which table; its load has committed.
        integrity: Queries the dataset.
        memory: What the last checks found; None if all rows are to be checked.
        rows: The table's rows, if they are known.
        is_changed: Whether anything was loaded since the last checks.
    """

    def __init__(
        self,
        table: Table,
        integrity: Integrity,
        memory: TableMemory | None = None,
        *,
        rows: int | None = None,
        is_changed: bool = True,
    ) -> None:
        self._table = table
        self._integrity = integrity
        self._memory = memory
        self._rows = rows
        self._is_changed = is_changed

    def findings(
        self, report: TableReport, counted: "Sequence[Counted]", *, fresh_since: datetime
    ) -> Iterator[Finding]:
        """Yields the outcomes, except those of checks that have nothing to compare.

        Args:
            report: What the run did to the table.
            counted: The API's counts of the windows that were read.
            fresh_since: The coverage must reach this instant (UTC).
        """
        table = self._table
        yield self._primary_key()
        if checked := [key for key in table.foreign_keys if key.is_checked]:
            yield self._foreign_keys(checked)
        if counted:
            yield _row_count(table, report, self._integrity, counted)
        if table.balance is not None and (found := self._balance(table.balance)) is not None:
            yield found
        yield _freshness(report, fresh_since)

    def _last(self, check: Check, basis: str) -> CheckMemory | None:
        """Returns the last result of a check; None if it must look at all rows."""
        known = self._memory.checks.get(check) if self._memory else None
        return None if known is None or known.due is None or known.basis != basis else known

    def _changes(self, last: CheckMemory | None) -> Changes | None:
        if last is None or last.due is None or self._memory is None:
            return None
        return Changes(self._memory.through, tuple(last.due))

    def _holds(self, last: CheckMemory | None) -> TypeGuard[CheckMemory]:
        """Returns whether the last result of a check needs no look at any row."""
        return last is not None and not self._is_changed and last.due == []

    def _primary_key(self) -> Finding:
        table = self._table
        last = self._last("primary_key", "")
        if self._holds(last):
            return Finding.remembered("primary_key", last)
        keys = self._integrity.keys(table, self._changes(last))
        count = keys.rows if last is None or self._rows is None else self._rows
        counts = {"rows": count, "missing": keys.missing, "doubled": keys.doubled}
        text = (
            f"{plurals.counted(count, 'row')}, {keys.missing:,} without {table.primary_key}, "
            f"{keys.doubled:,} doubled"
        )
        is_right = not keys.missing and not keys.doubled
        return Finding("primary_key", is_right, text, is_error=True, counts=counts, due=keys.due)

    def _foreign_keys(self, keys: Sequence[ForeignKey]) -> Finding:
        basis = self._integrity.basis_of_parents(self._table)
        last = self._last("foreign_keys", basis)
        if self._holds(last):
            return Finding.remembered("foreign_keys", last)
        changes = self._changes(last)
        known = last.bounds if last else {}
        counts: dict[str, int] = {}
        missing: list[str] = []
        due: list[RecordId] | None = []
        bounds: dict[str, Bounds] = {}
        for key in keys:
            before = known.get(key.column, (None, None))
            orphans = self._integrity.orphans(self._table, key, changes, before)
            if orphans is None:
                continue
            outside = f"{key.column}: outside the replica"
            # Only a check of all rows counts those that need not be looked at again.
            counts[outside] = last.counts.get(outside, 0) if last else orphans.explained
            counts[f"{key.column}: missing"] = orphans.unexplained
            bounds[key.column] = orphans.bounds
            due = None if due is None or orphans.due is None else limited([*due, *orphans.due])
            if orphans.unexplained:
                missing.append(f"{orphans.unexplained} of {key.column} in {key.table}")
        text = "all parents accounted for"
        if missing:
            text = "parents are missing: " + ", ".join(missing)
        return Finding(
            "foreign_keys", not missing, text, counts=counts, due=due, basis=basis, bounds=bounds
        )

    def _balance(self, balance: Balance) -> Finding | None:
        basis = self._integrity.basis_of_sums(self._table, balance)
        if basis is None:
            return None
        last = self._last("balance", basis)
        if self._holds(last):
            return Finding.remembered("balance", last)
        sums = self._integrity.sums(self._table, balance, self._changes(last))
        looked_at = "record" if last is None else "changed record"
        text = plurals.counted(sums.checked, f"{looked_at} adds up", f"{looked_at}s add up")
        if sums.off:
            of = f"{sums.off:,} of {plurals.counted(sums.checked, looked_at)}"
            verb = "does" if sums.off == 1 else "do"
            text = f"{of} {verb} not add up; first: id {sums.first}"
        counts = {"checked": sums.checked, "off": sums.off}
        return Finding("balance", not sums.off, text, counts=counts, due=sums.due, basis=basis)


def _freshness(report: TableReport, fresh_since: datetime) -> Finding:
    """Returns whether a table's coverage reaches an instant (UTC)."""
    until = report.coverage.until
    is_fresh = until is not None and until >= fresh_since
    return Finding("newest_window", is_fresh, f"covered: {report.coverage}")


def freshness_bound(now: datetime, warn_after_hours: float) -> datetime:
    """Returns the instant (UTC) that coverage must reach to be fresh."""
    return now - timedelta(hours=warn_after_hours)


def _row_count(
    table: Table, report: TableReport, integrity: Integrity, counted: "Sequence[Counted]"
) -> Finding:
    """In no window may the replica have fewer records than the API, except for rejects."""
    api = sum(count for _, count in counted)
    here = [integrity.rows_in(table, window) for window, _ in counted]
    lacking = sum(max(0, count - rows) for (_, count), rows in zip(counted, here, strict=True))
    lacking = max(0, lacking - report.rejected)
    counts = {"api": api, "replica": sum(here), "rejected": report.rejected}
    text = f"the API counts {plurals.counted(api, 'record')}, the replica {sum(here):,}"
    passed = not lacking and sum(here) <= api
    return Finding("row_count", passed, text, is_error=lacking > 0, counts=counts)
