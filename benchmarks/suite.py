"""Runs all measurements: for each size, all engines on one account, phase by phase."""

import json
import os
import platform
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from benchmarks import airbyte, ours, tap
from benchmarks.accounts import FOLDER, account_file, working_copy
from benchmarks.api import Api, clock_start
from benchmarks.cases import CHANGES, LARGE, NINE, Case, Engine, Phase
from benchmarks.fixed_cost import fixed_cost
from benchmarks.postgres import server_for
from benchmarks.processes import CommandFailedError, measure, module
from benchmarks.results import Floor, Measurement, Results
from benchmarks.sync import Place, Sync
from benchmarks.writing import writings

_PREPARE: dict[Engine, Callable[[Place], None]] = {
    Engine.TAP: tap.prepare,
    Engine.AIRBYTE: airbyte.prepare,
    Engine.IN_DAGSTER: ours.prepare,
    Engine.WITHOUT_DAGSTER: ours.prepare,
    Engine.WITH_CHECKS: ours.prepare,
}
_SYNC: dict[Engine, Callable[[Place], Sync]] = {
    Engine.TAP: tap.sync,
    Engine.AIRBYTE: airbyte.read,
    Engine.IN_DAGSTER: ours.in_dagster,
    Engine.WITHOUT_DAGSTER: ours.without_dagster,
    Engine.WITH_CHECKS: ours.without_dagster,
}
_BETWEEN: dict[Phase, Callable[[Api], None]] = {
    Phase.FIRST: lambda _: None,
    Phase.CHANGED: lambda api: api.change_invoices(CHANGES),
    Phase.IDLE: lambda api: api.pass_an_hour(),
}
"""What happens in the account before a phase, for all engines alike."""

Tell = Callable[[str], None]

_SCRATCH = "run-"
"""Prefix of temporary folders for accounts, warehouses and logs; only killed runs leave them."""


def run(
    cases_by_size: Mapping[int, Sequence[Case]], tell: Tell, *, repeats: int, customers: int
) -> Results:
    """Measures everything.

    Args:
        cases_by_size: The cases to measure, by number of invoices of the account.
        tell: Receives a line about each step before it begins.
        repeats: Number of runs per median.
        customers: Number of customers to write back.

    Raises:
        CommandFailedError: An engine failed or did not load all records.
    """
    _forget_killed_runs()
    machine = _machine()
    measurements: list[Measurement] = []
    accounts: dict[int, dict[str, int]] = {}
    floors: dict[int, Floor] = {}
    for size, cases in cases_by_size.items():
        tell(f"account with {size:,} invoices (filled once, then kept)")
        account_file(size)
        with (
            _scratch() as folder,
            Api(working_copy(size, folder), clock_start()) as api,
            server_for(cases) as server,
        ):
            accounts[size] = api.counts(NINE)
            if size < LARGE:  # fetching its pages one by one takes minutes, and tells no more
                tell(f"{size:,} invoices: DuckDB's own read_json")
                floors[size] = _floor(api, folder / "pages")
            places = [
                Place(case, folder / f"case{at}", api, server) for at, case in enumerate(cases)
            ]
            measurements += _compare(size, places, api, tell, repeats)
    tell("fixed cost: an empty Dagster project and one table of a nearly empty account")
    with _scratch() as folder:
        cost = fixed_cost(folder, repeats)
    with _scratch() as folder:
        writing = writings(folder, customers, tell)
    return Results(
        measurements=tuple(measurements),
        accounts=accounts,
        floors=floors,
        fixed_cost=cost,
        writing=writing,
        machine=machine,
    )


def _compare(
    size: int, places: Sequence[Place], api: Api, tell: Tell, repeats: int
) -> Iterator[Measurement]:
    """Measures all phases; those after the first sync `repeats` times, for the median.

    Airbyte's engine takes part once, because it reads everything each time.
    """
    for place in places:
        _PREPARE[place.case.engine](place)
    for phase in Phase:
        found: dict[str, list[Measurement]] = defaultdict(list)
        for number in range(1 if phase is Phase.FIRST else repeats):
            _BETWEEN[phase](api)
            for place in places:
                case = place.case
                if phase in case.phases and (number == 0 or case.engine is not Engine.AIRBYTE):
                    tell(f"{size:,} invoices, {phase}, {number + 1}: {case.name}")
                    found[case.name].append(_measured(size, phase, place))
        yield from map(_median, found.values())


def _median(found: Sequence[Measurement]) -> Measurement:
    """Returns the measurement with the median of the seconds."""
    return sorted(found, key=lambda each: each.sync.seconds)[len(found) // 2]


def _measured(size: int, phase: Phase, place: Place) -> Measurement:
    place.api.begin(place.case.latency_ms)
    sync = _SYNC[place.case.engine](place)
    served = place.api.served()
    # With missing rows, speed means nothing. More are fine: the overlap reads some records again.
    expected = {Phase.FIRST: place.api.counts(("invoices",))["invoices"], Phase.CHANGED: CHANGES}
    if sync.rows["invoices"] < expected.get(phase, 0):
        message = f"{place.case.name} loaded {sync.rows['invoices']} of {expected[phase]} invoices"
        raise CommandFailedError(message)
    return Measurement(size, phase, place.case, sync, served)


def _floor(api: Api, folder: Path) -> Floor:
    api.begin(latency_ms=0.0)
    command = module("benchmarks.floor", api.url, api.api_key, folder, *NINE)
    floor = Floor(**json.loads(measure(command, folder=folder).output))
    rmtree(folder)
    return floor


def _forget_killed_runs() -> None:
    for folder in FOLDER.glob(f"{_SCRATCH}*"):
        rmtree(folder)


@contextmanager
def _scratch() -> Iterator[Path]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(prefix=_SCRATCH, dir=FOLDER))
    try:
        yield folder
    finally:
        rmtree(folder)


def _machine() -> dict[str, str]:
    names = ("dagster", "dlt", "duckdb", "pyarrow")
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}",
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "versions": ", ".join(
            [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in names)]
        ),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
