"""The results of one run of the benchmark, as data."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.api import Served
from benchmarks.cases import BY_NAME, Case, Phase
from benchmarks.fixed_cost import FixedCost
from benchmarks.sync import Sync
from benchmarks.writing import Writing


@dataclass(frozen=True, slots=True)
class Measurement:
    """One sync of one case.

    Attributes:
        size: Invoices that the account was asked to have.
        phase: Which sync it was.
        case: Engine and conditions.
        sync: What the engine loaded, and the time and memory it took.
        served: What the API did during the sync.
    """

    size: int
    phase: Phase
    case: Case
    sync: Sync
    served: Served

    @property
    def rows(self) -> int:
        """Records loaded, rows of child tables not counted."""
        return sum(self.sync.rows.values())

    @property
    def rows_per_second(self) -> float:
        """Records loaded per second of wall clock."""
        return self.rows / self.sync.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """How long DuckDB's `read_json` took for the pages of an account, and the API for one page.

    Attributes:
        page_milliseconds: The API's time for a page of 100 invoices: one client, no latency.
        rows: Records by table.
        seconds: Seconds by table.
    """

    page_milliseconds: float
    rows: Mapping[str, int]
    seconds: Mapping[str, float]

    @property
    def rows_per_second(self) -> float:
        """Rows per second over all tables, read one after the other."""
        return sum(self.rows.values()) / sum(self.seconds.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The results of one run.

    Attributes:
        measurements: Every sync, in the order of the run.
        accounts: Records by table, by size.
        floors: The lower bound by size, where it was measured.
        fixed_cost: What a run costs before its first record.
        writing: New customers, by write-back and by a loop over the official SDK.
        machine: Properties of the machine, by name.
    """

    measurements: tuple[Measurement, ...]
    accounts: Mapping[int, Mapping[str, int]]
    floors: Mapping[int, Floor]
    fixed_cost: FixedCost
    writing: tuple[Writing, Writing]
    machine: Mapping[str, str]

    @property
    def sizes(self) -> list[int]:
        """Returns the sizes of the accounts, smallest first."""
        return sorted(self.accounts)

    def of(self, size: int) -> list[Measurement]:
        """Returns all syncs of an account, in the order of the run."""
        return [each for each in self.measurements if each.size == size]

    def largest(self, phase: Phase, *cases: Case) -> list[Measurement]:
        """Returns these cases in the largest account that has them all; empty if none has."""
        for size in reversed(self.sizes):
            found = [each for case in cases if (each := self.find(size, phase, case))]
            if len(found) == len(cases):
                return found
        return []

    def find(self, size: int, phase: Phase, case: Case) -> Measurement | None:
        """Returns the measurement of a case; None if it did not take part."""
        for each in self.measurements:
            if (each.size, each.phase, each.case) == (size, phase, case):
                return each
        return None


def save(results: Results, path: Path) -> None:
    """Writes results as JSON."""
    content = asdict(results)
    for written, measured in zip(content["measurements"], results.measurements, strict=True):
        written["case"] = measured.case.name
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def load(path: Path) -> Results:
    """Reads what `save` wrote; raises KeyError for a case that no longer exists."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return Results(
        measurements=tuple(
            Measurement(
                size=each["size"],
                phase=Phase(each["phase"]),
                case=BY_NAME[each["case"]],
                sync=Sync(**each["sync"]),
                served=Served(**each["served"]),
            )
            for each in content["measurements"]
        ),
        accounts={int(size): counts for size, counts in content["accounts"].items()},
        floors={int(size): Floor(**floor) for size, floor in content["floors"].items()},
        fixed_cost=FixedCost(**content["fixed_cost"]),
        writing=(Writing(**content["writing"][0]), Writing(**content["writing"][1])),
        machine=content["machine"],
    )
