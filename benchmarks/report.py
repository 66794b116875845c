"""Formats results as tables: in the terminal with rich, and in `results.md`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.cases import AIRBYTE_EIGHT, LATENCY_MS, TAP, Case, Engine
from benchmarks.results import Measurement, Results
from benchmarks.scale_section import scale_section, with_scale
from benchmarks.targets import judge

CHART = "details.png"
"""All engines; `benchmarks.plot` also draws `summary.png`, for the README."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of text: first the columns that name the row, then its figures."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    names: int = 1
    """How many columns name the row."""


def grids(results: Results) -> list[Grid]:
    """Builds all tables of a report, in order."""
    found: list[Grid] = []
    for size in results.sizes:
        counts = results.accounts[size]
        account = f"{counts['invoices']:,} invoices, {sum(counts.values()):,} records"
        found.append(Grid(f"{account}: figures", _FIGURES, _figures(results, size), names=2))
        for base, (name, note) in _BASES.items():
            if compared := _ratios(results, size, base):
                title = f"{account}: ratios to {name}"
                found.append(Grid(title, _RATIOS, compared, note, names=2))
    return [
        *found,
        _stages(results),
        _floor(results),
        _fixed_cost(results),
        _writing(results),
        _targets(results),
    ]


_FIGURES = (
    "sync",
    "engine",
    "rows",
    "seconds",
    "rows/s",
    "requests",
    "peak MB",
    "CPU s",
    "API's CPU s",
)
_RATIOS = ("sync", "engine", "rows/s", "requests", "peak MB", "CPU s", "seconds")
_BASES = {
    TAP: (
        "the tap",
        "Each figure divided by that of tap | target. For rows/s more is better, for all others "
        "less. With nine tables this project loads more rows than the tap with its six: compare "
        "only rows/s.",
    ),
    AIRBYTE_EIGHT: (
        "Airbyte's engine",
        "Each figure divided by that of Airbyte's engine, which only reads, while this project "
        "also loads. Numbers of tables differ: compare only rows/s.",
    ),
}
"""What this project is compared with: name and note of the table."""


def _figures(results: Results, size: int) -> list[Sequence[str]]:
    return [
        (
            each.phase,
            each.case.name,
            f"{each.rows:,}",
            f"{each.sync.seconds:.1f}",
            f"{each.rows_per_second:,.0f}",
            f"{each.served.requests:,}",
            f"{each.sync.peak_mb:.0f}",
            f"{each.sync.cpu_seconds:.1f}",
            f"{each.served.cpu_seconds:.1f}",
        )
        for each in results.of(size)
    ]


def _ratios(results: Results, size: int, base: Case) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for each in results.of(size):
        other = results.find(size, each.phase, base)
        if other is not None and is_comparable(each.case):
            rows.append((each.phase, each.case.name, *map(_ratio, ratios(each, other))))
    return rows


def is_comparable(case: Case) -> bool:
    """Tells whether a case is of this project and has the same conditions as the others."""
    return case.engine not in {Engine.TAP, Engine.AIRBYTE} and case.latency_ms == LATENCY_MS


def ratios(ours: Measurement, other: Measurement) -> list[float | None]:
    """Divides our rows/s, requests, memory, CPU and seconds by another's; None if one is 0.

    An idle sync of this project loads nothing, while the tap loads all plans again: there is no
    speed to compare.
    """
    pairs = (
        (ours.rows_per_second or None, other.rows_per_second),
        (ours.served.requests, other.served.requests),
        (ours.sync.peak_mb, other.sync.peak_mb),
        (ours.sync.cpu_seconds, other.sync.cpu_seconds),
        (ours.sync.seconds, other.sync.seconds),
    )
    return [above / below if above is not None and below else None for above, below in pairs]


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _stages(results: Results) -> Grid:
    names = ("extract", "normalize", "load")
    headings = ("invoices", "sync", "engine", *names)
    rows = [
        [
            f"{each.size:,}",
            each.phase,
            each.case.name,
            *(f"{each.sync.stages.get(name, 0):.2f}" for name in names),
            f"{each.sync.seconds:.2f}",
        ]
        for each in results.measurements
        if each.sync.stages
    ]
    return Grid("Stages without Dagster, seconds", (*headings, "total"), rows, names=3)


def _floor(results: Results) -> Grid:
    rows = []
    for size, floor in results.floors.items():
        for table, count in floor.rows.items():
            seconds = floor.seconds[table]
            rows.append([f"{size:,}", table, *_speed(count, seconds)])
        total = sum(floor.rows.values()), sum(floor.seconds.values())
        rows.append([f"{size:,}", "total", *_speed(*total)])
    pages = ", ".join(
        f"{floor.page_milliseconds:.1f} ms at {size:,}" for size, floor in results.floors.items()
    )
    return Grid(
        "Lower bound: DuckDB's own read_json of the same pages",
        ("invoices", "table", "rows", "seconds", "rows/s"),
        rows,
        f"The API itself needs for a page of 100 invoices: {pages}.",
        names=2,
    )


def _speed(rows: int, seconds: float) -> list[str]:
    return [f"{rows:,}", f"{seconds:.2f}", f"{rows / seconds:,.0f}"]


def _fixed_cost(results: Results) -> Grid:
    cost = results.fixed_cost
    rows = [
        ["an empty Dagster project", f"{cost.empty_project:.1f}"],
        ["a project that loads one row with dlt", f"{cost.one_row:.1f}"],
        ["this project, one table of a nearly empty account", f"{cost.one_table:.1f}"],
        ["more than the empty project", f"{cost.above:.1f}"],
        ["more than the project with one row", f"{cost.one_table - cost.one_row:.1f}"],
    ]
    return Grid("Fixed cost of a run, median seconds", ("", "seconds"), rows)


def _writing(results: Results) -> Grid:
    rows = [
        [
            each.name,
            f"{each.records:,}",
            f"{each.seconds:.1f}",
            f"{each.records_per_second:.1f}",
            f"{each.requests:,}",
            f"{each.peak_mb:.0f}",
            f"{each.cpu_seconds:.1f}",
        ]
        for each in results.writing
    ]
    headings = ("", "records", "seconds", "records/s", "requests", "peak MB", "CPU s")
    return Grid("Write-back: new customers", headings, rows)


def _targets(results: Results) -> Grid:
    answers = {True: "yes", False: "no", None: "-"}
    rows = [[each.target, each.measured, answers[each.met]] for each in judge(results)]
    return Grid("Targets", ("target", "measured", "met"), rows)


def show(results: Results, console: Console) -> None:
    """Prints all tables to the terminal."""
    for grid in grids(results):
        table = RichTable(title=grid.title, title_justify="left", caption=grid.note or None)
        for at, heading in enumerate(grid.headings):
            table.add_column(heading, justify="left" if at < grid.names else "right")
        for row in grid.rows:
            table.add_row(*row)
        console.print(table)


def write(results: Results, path: Path, command: str) -> None:
    """Writes the tables as Markdown; the section of `make scale` stays.

    Args:
        results: The results of one run.
        path: The file to write.
        command: The command that produced them.
    """
    machine = results.machine
    *others, last = (f"{size:,}" for size in results.sizes)
    sizes = " and ".join(filter(None, (", ".join(others), last)))
    text = f"""# Results

Measured with `{command}` on {machine["date"]}. [README.md](README.md) explains each figure.
Requested sizes: {sizes} invoices. API latency: {LATENCY_MS:g} ms.

Machine: {machine["cores"]} cores, {machine["processor"]}, {machine["system"]};
{machine["versions"]}. Load average at the start: {machine["load"]}. If it
is well above 0, other work ran at the same time and the speeds mean little.

![Rows per second, peak memory and seconds of every engine]({CHART})
"""
    scale = scale_section(path.read_text(encoding="utf-8")) if path.exists() else ""
    text += "".join(map(markdown, grids(results)))
    path.write_text(with_scale(text, scale), encoding="utf-8")


def markdown(grid: Grid) -> str:
    """Formats a section with its table."""
    lines = ["", f"## {grid.title}", "", *([grid.note, ""] if grid.note else [])]
    lines.append("| " + " | ".join(grid.headings) + " |")
    lines.append(
        "|"
        + "|".join(":---" if at < grid.names else "---:" for at in range(len(grid.headings)))
        + "|"
    )
    lines += ["| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in grid.rows]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
