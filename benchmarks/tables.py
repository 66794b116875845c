"""`python -m benchmarks.tables`: what each table costs in a first, an idle and a changed sync.

Prints Markdown: rows, requests and seconds by table, without and with the optional tables.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmarks import ours
from benchmarks.accounts import FOLDER, working_copy
from benchmarks.api import Api, Served, clock_start
from benchmarks.cases import CHANGES, LATENCY_MS, Case, Engine
from benchmarks.sync import Place, Sync
from invoiced_pipeline.catalog import OPTIONAL_TABLE_NAMES, TABLE_NAMES, table

_CHANGED = (
    *(name for name in TABLE_NAMES if name != "credit_balance_adjustments"),
    "contacts",
    "cards",
    "line_items",
    "payment_plans",
)
"""Collections whose records change; an adjustment changes with its transaction."""

_FIRST = "first sync"
_PHASES: Mapping[str, Callable[[Api], None]] = {
    _FIRST: lambda _: None,
    "idle sync": lambda api: api.pass_an_hour(),
    f"after {CHANGES:,} changes": lambda api: api.change_records(CHANGES, _CHANGED),
}
"""What happens in the account before each sync."""

Measured = tuple[Sync, Served]


def main(
    invoices: Annotated[int, typer.Option(help="Number of invoices of the account.")] = 20_000,
    latency_ms: Annotated[float, typer.Option(help="The API waits so long before a response.")] = (
        LATENCY_MS
    ),
) -> None:
    """Prints two tables."""
    for names in (TABLE_NAMES, (*TABLE_NAMES, *OPTIONAL_TABLE_NAMES)):
        syncs = _syncs(invoices, names, latency_ms)
        typer.echo(f"{invoices:,} invoices, {len(names)} tables\n")
        typer.echo("\n".join(_markdown(names, syncs)) + "\n")


def _syncs(invoices: int, names: tuple[str, ...], latency_ms: float) -> dict[str, Measured]:
    case = Case(engine=Engine.WITHOUT_DAGSTER, tables=names)
    found: dict[str, Measured] = {}
    FOLDER.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        with Api(working_copy(invoices, folder), clock_start()) as api:
            place = Place(case, folder / "case", api)
            ours.prepare(place)
            for phase, happens in _PHASES.items():
                happens(api)
                api.begin(latency_ms)
                found[phase] = ours.without_dagster(place), api.served()
    return found


def _markdown(names: Sequence[str], syncs: Mapping[str, Measured]) -> Iterator[str]:
    headings = [f"{phase}: {unit}" for phase in syncs for unit in ("rows", "requests", "s")]
    yield f"| table | {' | '.join(headings)} |"
    yield f"|---|{'--:|' * len(headings)}"
    for name in names:
        yield _row(name, (_figures(sync, name) for sync, _ in syncs.values()))
    yield _row("events feed", (["", f"{_of_feed(*each):,}", ""] for each in syncs.values()))
    yield _row("together", (_total(*each) for each in syncs.values()))
    yield _row("CPU s", (["", "", f"{sync.cpu_seconds:.1f}"] for sync, _ in syncs.values()))
    first, served = syncs[_FIRST]
    yield f"\nFirst sync, tables with a list of all records: {_ratio(first, served)}"


def _row(name: str, figures: Iterator[Sequence[str]]) -> str:
    return f"| {name} | {' | '.join(each for found in figures for each in found)} |"


def _figures(sync: Sync, name: str) -> Sequence[str]:
    requests, seconds = sync.table_requests[name], sync.table_seconds[name]
    return f"{sync.rows[name]:,}", f"{requests:,}", f"{seconds:.1f}"


def _of_feed(sync: Sync, served: Served) -> int:
    return served.requests - sum(sync.table_requests.values())


def _total(sync: Sync, served: Served) -> Sequence[str]:
    return f"{sum(sync.rows.values()):,}", f"{served.requests:,}", f"{sync.seconds:.1f}"


def _ratio(sync: Sync, served: Served) -> str:
    per_parent = {name for name in sync.rows if table(name).parent is not None}
    rows = sum(sync.rows[name] for name in sync.rows.keys() - per_parent)
    requests = served.requests - sum(sync.table_requests[name] for name in per_parent)
    return f"{requests:,} requests for {rows:,} rows, {requests / rows * 100:.2f} per 100"


if __name__ == "__main__":
    typer.run(main)
