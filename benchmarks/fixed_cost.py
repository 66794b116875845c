"""Compares what a run costs before its first record with the smallest Dagster projects."""

import statistics
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import ours
from benchmarks.accounts import working_copy
from benchmarks.api import Api, clock_start
from benchmarks.cases import Case, Engine
from benchmarks.processes import measure
from benchmarks.sync import Place

_NEARLY_EMPTY = 8
"""Number of invoices: those of one customer."""

_ONE_TABLE = Case(engine=Engine.IN_DAGSTER, tables=("customers",), latency_ms=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedCost:
    """Medians of several runs in seconds; all use the same command line and take turns."""

    empty_project: float
    one_row: float
    """A project whose asset loads one row with dlt: the cost of dlt itself."""
    one_table: float

    @property
    def above(self) -> float:
        """Returns how many seconds longer this project takes than an empty one."""
        return self.one_table - self.empty_project


def fixed_cost(folder: Path, runs: int) -> FixedCost:
    """Materialises all projects in turn, so that other load on the machine affects all of them.

    The first run of each is not counted, because it creates Dagster's storage and the tables.
    """
    folder.mkdir(parents=True, exist_ok=True)
    nothing: list[float] = []
    one_row: list[float] = []
    something: list[float] = []
    with Api(working_copy(_NEARLY_EMPTY, folder), clock_start()) as api:
        place = Place(_ONE_TABLE, folder / "ours", api)
        ours.prepare(place)
        others = {name: Place(_ONE_TABLE, folder / name, api) for name in ("empty", "one_row")}
        for other in others.values():
            ours.prepare(other)
        for _ in range(1 + runs):
            nothing.append(_materialize("benchmarks.empty_project", others["empty"].folder))
            one_row.append(_materialize("benchmarks.one_row_project", others["one_row"].folder))
            api.begin(_ONE_TABLE.latency_ms)
            something.append(ours.materialize(place).seconds)
    return FixedCost(
        empty_project=statistics.median(nothing[1:]),
        one_row=statistics.median(one_row[1:]),
        one_table=statistics.median(something[1:]),
    )


def _materialize(project: str, folder: Path) -> float:
    command = [ours.DAGSTER, "asset", "materialize", "-m", project]
    command += ["--select", "nothing", "--partition", f"{datetime.now(UTC):%Y-%m-01}"]
    return measure(command, folder=folder, environment={"DAGSTER_HOME": str(folder)}).seconds
