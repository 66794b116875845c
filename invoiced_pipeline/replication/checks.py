"""The checks of a table after a load.

A warning means that a person should look, an error that the replica is wrong.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from invoiced_pipeline import plurals
from invoiced_pipeline.catalog import Table
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.warehouse.integrity import Integrity

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
    """

    check: Check
    passed: bool
    text: str
    is_error: bool = False
    counts: dict[str, int] = field(default_factory=dict)


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


def findings(
    table: Table,
    report: TableReport,
    integrity: Integrity,
    counted: "Sequence[Counted]",
    *,
    fresh_since: datetime,
) -> Iterator[Finding]:
    """Yields the outcomes of a table's checks, except checks that have nothing to compare.

    Args:
        table: Which table; its load has committed.
        report: What the run did to it.
        integrity: Queries the dataset.
        counted: The API's counts of the windows that were read.
        fresh_since: The coverage must reach this instant (UTC).
    """
    yield _primary_key(table, integrity)
    if any(key.is_checked for key in table.foreign_keys):
        yield _foreign_keys(table, integrity)
    if counted:
        yield _row_count(table, report, integrity, counted)
    if table.balance is not None:
        sums = integrity.sums(table, table.balance)
        if sums is not None:
            text = plurals.counted(sums.checked, "record adds up", "records add up")
            if sums.off:
                of = f"{sums.off:,} of {plurals.counted(sums.checked, 'record')}"
                verb = "does" if sums.off == 1 else "do"
                text = f"{of} {verb} not add up; first: id {sums.first}"
            counts = {"checked": sums.checked, "off": sums.off}
            yield Finding("balance", not sums.off, text, counts=counts)
    until = report.coverage.until
    is_fresh = until is not None and until >= fresh_since
    yield Finding("newest_window", is_fresh, f"covered: {report.coverage}")


def freshness_bound(now: datetime, warn_after_hours: float) -> datetime:
    """Returns the instant (UTC) that coverage must reach to be fresh."""
    return now - timedelta(hours=warn_after_hours)


def _primary_key(table: Table, integrity: Integrity) -> Finding:
    keys = integrity.keys(table)
    counts = {"rows": keys.rows, "missing": keys.missing, "doubled": keys.doubled}
    rows = plurals.counted(keys.rows, "row")
    text = f"{rows}, {keys.missing:,} without {table.primary_key}, {keys.doubled:,} doubled"
    is_right = not keys.missing and not keys.doubled
    return Finding("primary_key", is_right, text, is_error=True, counts=counts)


def _foreign_keys(table: Table, integrity: Integrity) -> Finding:
    counts: dict[str, int] = {}
    missing: list[str] = []
    for key in table.foreign_keys:
        orphans = integrity.orphans(table, key) if key.is_checked else None
        if orphans is None:
            continue
        counts[f"{key.column}: outside the replica"] = orphans.explained
        counts[f"{key.column}: missing"] = orphans.unexplained
        if orphans.unexplained:
            missing.append(f"{orphans.unexplained} of {key.column} in {key.table}")
    text = "parents are missing: " + ", ".join(missing) if missing else "all parents accounted for"
    return Finding("foreign_keys", not missing, text, counts=counts)


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
