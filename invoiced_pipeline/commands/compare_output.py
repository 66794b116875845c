"""The result of `compare`, as tables and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from invoiced_pipeline.amounts import amount_text
from invoiced_pipeline.commands.common.console import console, say
from invoiced_pipeline.commands.common.grid import Grid
from invoiced_pipeline.comparison.report import ONLY_NEW, Finding, TableComparison
from invoiced_pipeline.plurals import counted

_WORDS = {
    "only_in_old": "only in the old replica",
    "only_in_new": "only in the new replica",
    "older_in_old": "older in the old replica",
    "older_in_new": "older in the new replica",
    "deleted_in_old": "marked as deleted only in the old replica",
    "deleted_in_new": "marked as deleted only in the new replica",
}


def as_data(label: str, tables: Sequence[TableComparison]) -> dict[str, Any]:
    """Returns the result for `--json`; amounts are texts, because JSON's numbers are rounded."""
    return {
        "compared": label,
        "equal": all(each.is_equal for each in tables if each.old_table),
        "tables": [_table_data(each) for each in tables],
    }


def show_comparison(label: str, tables: Sequence[TableComparison]) -> None:
    """Prints counts and totals, then what differs with the ids of a few rows."""
    compared = [each for each in tables if each.old_table]
    _show_rows(label, compared)
    _show_totals(compared)
    for table in compared:
        for line in _differences(table):
            say(console, f"{table.table}: {line}", style="red")
    for table in compared:
        for line in _remarks(table):
            say(console, f"{table.table}: {line}", style="dim")
    if missing := [each.table for each in tables if not each.old_table]:
        say(console, f"Not in the old replica: {', '.join(missing)}", style="dim")
    different = [each.table for each in compared if not each.is_equal]
    if different:
        say(console, f"Different: {', '.join(different)}.", style="bold red")
    else:
        say(console, f"Equal: {counted(len(compared), 'table')}.", style="bold green")


def _table_data(table: TableComparison) -> dict[str, Any]:
    data = asdict(table)
    data["totals"] = [
        {
            "currency": currency,
            "column": column,
            "old": str(total.old),
            "new": str(total.new),
            "difference": str(total.new - total.old),
        }
        for (currency, column), total in sorted(table.totals.items())
    ]
    return data | {"equal": table.old_table and table.is_equal}


def _show_rows(label: str, tables: Sequence[TableComparison]) -> None:
    grid = Grid(f"Rows: {label}", optional=("deleted",))
    grid.add_column("table", no_wrap=True)
    headings = ("old", "new", "only old", "only new", "older old", "older new", "values", "deleted")
    for heading in headings:
        grid.add_column(heading, justify="right")
    for each in tables:
        differing = sum(finding.rows for finding in each.columns.values())
        found = (each.only_in_old, each.only_in_new, each.older_in_old, each.older_in_new)
        counts = (*(finding.rows for finding in found), differing)
        grid.add_row(
            each.table,
            f"{each.old_rows:,}",
            f"{each.new_rows:,}",
            *(f"[red]{count:,}" if count else "0" for count in counts),
            f"{each.deleted:,}",
        )
    console.print(grid)


def _show_totals(tables: Sequence[TableComparison]) -> None:
    grid = Grid("Totals")
    for heading in ("table", "column", "currency"):
        grid.add_column(heading, no_wrap=True)
    for heading in ("old", "new", "difference"):
        grid.add_column(heading, justify="right")
    for each in tables:
        for (currency, column), total in sorted(each.totals.items()):
            difference = total.new - total.old
            shown = amount_text(difference, currency)
            grid.add_row(
                each.table,
                column,
                currency,
                amount_text(total.old, currency),
                amount_text(total.new, currency),
                f"[red]{shown}" if difference else shown,
            )
    if grid.row_count:
        console.print(grid)


def _differences(table: TableComparison) -> Iterator[str]:
    if table.problem:
        yield f"not compared: {table.problem}"
    for kind, finding in table.findings.items():
        yield f"{counted(finding.rows, 'row')} {_WORDS[kind]}: {_ids(finding)}"
    for name, finding in sorted(table.columns.items()):
        yield f"{name} differs in {counted(finding.rows, 'row')}: {_ids(finding)}"


def _remarks(table: TableComparison) -> Iterator[str]:
    if table.before_oldest:
        yield (
            f"{table.before_oldest:,} of the rows only in the old replica were last updated before "
            f"{table.oldest:%Y-%m-%d}, when the new one begins: an earlier start_date loads them"
        )
    if table.surplus:
        yield (
            f"the old replica has {counted(table.surplus, 'further row')} for the same ids; the "
            "newest was compared"
        )
    by_reason: dict[str, list[str]] = {}
    for name, reason in table.not_compared.items():
        if reason != ONLY_NEW:  # every older replica lacks some of the columns
            by_reason.setdefault(reason, []).append(name)
    for reason, names in by_reason.items():
        yield f"not compared, because {reason}: {', '.join(names)}"


def _ids(finding: Finding) -> str:
    more = ", ..." if finding.rows > len(finding.examples) else ""
    return ", ".join(map(str, finding.examples)) + more
