"""`python -m benchmarks.scale`: eight accounts on one worker and on two, into `results.md`."""

import multiprocessing
import os
import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated

import dagster as dg
import typer
from dagster._core.scheduler.instigation import InstigatorStatus, InstigatorType
from rich.console import Console

from benchmarks.processes import ROOT
from benchmarks.report import Grid, markdown
from benchmarks.scale_section import TITLE, with_scale
from invoiced_pipeline_tests.cluster import AccountAddress, Cluster, cluster
from invoiced_pipeline_tests.front_door import wait_until

ACCOUNTS = 8
LATENCY_MS = 100
_LONGEST = 1800.0
_LOOK_SECONDS = 2.0  # looking takes 60 ms of the cores that are measured
_STARTED, _STEP, _ENDED = "PIPELINE_STARTING", "STEP_START", "PIPELINE_SUCCESS"
_HISTORY = timedelta(days=70)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A first load of all accounts.

    Attributes:
        workers: How many machines shared it, with one run at a time each.
        seconds: From the start of the first run to the end of the last.
        run_seconds: From start to end, by run.
        start_seconds: From the launch of a run to its op, by run; most wait for a worker.
        records: Rows of the API's records, of all accounts.
        events: Events in Dagster's records, by run.
        event_bytes: What Dagster's records take on disk for an event, indexes included.
        row_bytes: What a record takes on disk with its child rows, indexes and logs.
        scratch_bytes: What a record takes on a worker's disk during a load.
        connections: The most connections that the server had, to both databases.
        worker_mb: The most resident memory of a worker with its child, in 10^6 bytes.
        load_average: The machine's, at the start.
    """

    workers: int
    seconds: float
    run_seconds: Sequence[float]
    start_seconds: Sequence[float]
    records: int
    events: Sequence[int]
    event_bytes: float
    row_bytes: float
    scratch_bytes: float
    connections: int
    worker_mb: float
    load_average: float


def main(
    customers: Annotated[int, typer.Option(help="Customers of each account.")] = 100,
    output: Annotated[Path, typer.Option(help="The file that gets the section.")] = ROOT
    / "benchmarks"
    / "results.md",
) -> None:
    """Load eight accounts on one Celery worker and on two, and compare."""
    console = Console()
    loads: list[Load] = []
    with _accounts(customers) as addresses:
        for workers in (1, 2):
            console.print(f"{ACCOUNTS} accounts of {customers} customers, {workers} worker(s)")
            loads.append(_measure(addresses, workers))
            console.print(f"{loads[-1].seconds:.1f} s")
    section = markdown(_grid(loads))
    console.print(section, markup=False)
    text = output.read_text(encoding="utf-8") if output.exists() else "# Results\n"
    output.write_text(with_scale(text, section), encoding="utf-8")


def _measure(addresses: Sequence[AccountAddress], workers: int) -> Load:
    since = datetime.now(UTC) - _HISTORY
    settings = f'start_date = "{since:%Y-%m-%d}"'
    load_average = os.getloadavg()[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scale")))
        machines = stack.enter_context(cluster(folder, addresses, connection_settings=settings))
        instance = stack.enter_context(machines.instance())
        names = [f"worker{number}" for number in range(workers)]
        groups = [machines.start_worker(name).pid for name in names]
        machines.start_daemon()
        machines.turn_schedules_on()
        _stop_schedules_after_one_tick(instance)
        peaks = _Peaks(machines, groups)
        wait_until(
            lambda: peaks.look() or _is_complete(instance),
            "all syncs",
            within=_LONGEST,
            every=_LOOK_SECONDS,
        )
        machines.kill("daemon")
        return _figures(machines, instance, peaks, workers, load_average)


def _stop_schedules_after_one_tick(instance: dg.DagsterInstance) -> None:
    """Leaves the machine to the first loads: the accounts' next tick is a minute later."""
    wait_until(lambda: len(instance.get_runs()) == ACCOUNTS, "the first tick", within=_LONGEST)
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE):
        instance.update_instigator_state(state.with_status(InstigatorStatus.STOPPED))


def _figures(
    machines: Cluster,
    instance: dg.DagsterInstance,
    peaks: "_Peaks",
    workers: int,
    load_average: float,
) -> Load:
    firsts: dict[str, dict[str, float]] = {}
    counts: list[int] = []
    for run in reversed(instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))):
        if run.job_name in firsts:
            continue  # a later tick's
        events = instance.all_logs(run.run_id)
        counts.append(len(events))
        at: dict[str, float] = {}
        for event in events:
            if event.is_dagster_event:
                at.setdefault(event.get_dagster_event().event_type_value, event.timestamp)
        firsts[run.job_name] = at
    begin = min(at[_STARTED] for at in firsts.values())
    records, size = _size(machines)
    return Load(
        workers=workers,
        seconds=max(at[_ENDED] for at in firsts.values()) - begin,
        run_seconds=[at[_ENDED] - at[_STEP] for at in firsts.values()],
        start_seconds=[at[_STEP] - at[_STARTED] for at in firsts.values()],
        records=records,
        events=counts,
        event_bytes=peaks.event_bytes(),
        row_bytes=size / records,
        scratch_bytes=peaks.scratch / (records / ACCOUNTS * workers),
        connections=peaks.connections,
        worker_mb=peaks.worker_mb,
        load_average=load_average,
    )


def _is_complete(instance: dg.DagsterInstance) -> bool:
    succeeded = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))
    return len({run.job_name for run in succeeded}) == ACCOUNTS


def _size(machines: Cluster) -> tuple[int, int]:
    """Returns records and bytes of all datasets."""
    from invoiced_pipeline.catalog import TABLES

    records, size = 0, 0
    for account in machines.accounts:
        with machines.warehouse.session(account.dataset, read_only=True) as session:
            for table in TABLES:
                ((count,),) = session.rows(f"select count(*) from {table.name}")  # noqa: S608 - catalog
                records += count
            ((taken,),) = session.rows(
                "select sum(pg_total_relation_size(oid)) from pg_class where relkind = 'r' "
                "and relnamespace = %s::regnamespace",
                [account.dataset],
            )
            size += int(taken)
    return records, size


class _Peaks:
    """The most connections and memory that were seen."""

    def __init__(self, machines: Cluster, groups: Sequence[int]) -> None:
        self._machines = machines
        self._groups = groups
        self.scratch = 0
        self.connections = 0
        self.worker_mb = 0.0

    def look(self) -> None:
        """Looks once; the caller repeats it."""
        with self._machines.warehouse.session("public", read_only=True) as session:
            ((count,),) = session.rows(
                "select count(*) from pg_stat_activity "
                "where backend_type = 'client backend' and pid <> pg_backend_pid()"
            )
        self.connections = max(self.connections, count)
        self.scratch = max(self.scratch, _size_of(self._machines.folder.glob("*/data/*.dlt")))
        self.worker_mb = max(self.worker_mb, *map(_resident_mb, self._groups))

    def event_bytes(self) -> float:
        """Returns the bytes of an event in Dagster's records."""
        from pydantic import SecretStr

        from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase

        records = SecretStr(self._machines.environment["DAGSTER_POSTGRES_URL"])
        with PostgresDatabase(records, Path()).session("public", read_only=True) as session:
            ((size, count),) = session.rows(
                "select pg_total_relation_size('event_logs'), count(*) from event_logs"
            )
        return size / count


def _size_of(folders: Iterable[Path]) -> int:
    """Returns the bytes of all files in some folders, which come and go while they are counted."""
    total = 0
    for folder in folders:
        for place, _, names in os.walk(folder):  # passes over folders that are deleted meanwhile
            for name in names:
                with suppress(OSError):
                    total += Path(place, name).stat().st_size
    return total


def _resident_mb(group: int) -> float:
    """Returns the memory of a process group; pages that it shares count once per process."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) == group:
                text = (process / "smaps_rollup").read_text(encoding="utf-8")
                total += int(text.partition("\nPss:")[2].split()[0])
        except (OSError, ValueError, IndexError):  # it ended meanwhile
            continue
    return total * 1024 / 1e6


def _grid(loads: Sequence[Load]) -> Grid:
    one, two = loads
    rows = [
        _row("seconds from the first start to the last end", loads, lambda each: each.seconds, 1),
        _row("seconds of a run, median", loads, lambda each: _median(each.run_seconds), 1),
        _row("seconds from launch to op, free worker", loads, lambda each: min(each.start_seconds)),
        _row("records in all accounts", loads, lambda each: each.records, 0),
        _row("events of a run, median", loads, lambda each: _median(each.events), 0),
        _row("bytes of an event", loads, lambda each: each.event_bytes, 0),
        _row("bytes of a record in the warehouse", loads, lambda each: each.row_bytes, 0),
        _row(
            "bytes of a record in the worker's scratch, most",
            loads,
            lambda each: each.scratch_bytes,
            0,
        ),
        _row("database connections, most", loads, lambda each: each.connections, 0),
        _row("memory of a worker, most, MB", loads, lambda each: each.worker_mb, 0),
        _row("load average at the start", loads, lambda each: each.load_average, 1),
    ]
    note = (
        f"Measured with `make scale` on {datetime.now(UTC):%Y-%m-%d}: {ACCOUNTS} accounts, "
        f"{LATENCY_MS} ms before each response, {_HISTORY.days} days of monthly partitions, "
        "one run at a time per worker. Two workers "
        f"need {two.seconds / one.seconds:.2f} times as long as one. Workers, servers, accounts "
        f"and daemon share {os.cpu_count()} cores: machines of their own gain more than this shows."
    )
    return Grid(TITLE, ("", "one worker", "two workers"), rows, note)


def _row(
    name: str, loads: Sequence[Load], value: Callable[[Load], float], digits: int = 2
) -> list[str]:
    return [name, *(f"{value(each):,.{digits}f}" for each in loads)]


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


@contextmanager
def _accounts(customers: int) -> Iterator[Sequence[AccountAddress]]:
    """Serves all accounts from a process of their own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, customers), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        ours.close()
        process.join()


def _serve(connection: Connection, customers: int) -> None:
    from invoiced_emulator.run import fill
    from invoiced_emulator.server import Emulator

    with ExitStack() as stack:
        addresses: list[AccountAddress] = []
        for number in range(ACCOUNTS):
            emulator = stack.enter_context(Emulator(api_key=f"benchmark{number:023}"))
            now = emulator.clock.now() - 3600
            fill(emulator.store, seed=number, customers=customers, now=now)
            emulator.faults.latency_ms = LATENCY_MS
            addresses.append(AccountAddress(f"Account{number}", emulator.url, emulator.api_key))
        connection.send(addresses)
        try:
            connection.recv()
        except EOFError:  # the parent has all it wants
            return


if __name__ == "__main__":
    typer.run(main)
