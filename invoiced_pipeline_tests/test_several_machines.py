"""Eight connections on two Celery workers, one of which is killed during a load."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from invoiced_emulator.run import fill
from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.cluster import AccountAddress, Cluster, cluster
from invoiced_pipeline_tests.front_door import DEADLINE, Gate, expected, loaded, wait_until
from invoiced_pipeline_tests.postgres_server import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.duckdb("it is about several machines")]

START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=70)
DATASETS = [f"account{number}" for number in range(8)]


@pytest.fixture
def accounts() -> Iterator[Sequence[Emulator]]:
    """Eight accounts, each with its own records, host and key; a wrong key is refused."""
    with ExitStack() as stack:
        made = []
        for number in range(len(DATASETS)):
            emulator = stack.enter_context(Emulator(api_key=f"NeverToBeSeenKey{number:016}"))
            fill(emulator.store, seed=number, customers=5, now=emulator.clock.now() - 3600)
            emulator.faults.latency_ms = 100
            emulator.application.requests = deque()  # all of them
            made.append(emulator)
        yield made


@pytest.fixture
def machines(tmp_path: Path, accounts: Sequence[Emulator]) -> Iterator[Cluster]:
    addresses = [
        AccountAddress(f"Account{number}", emulator.url, emulator.api_key)
        for number, emulator in enumerate(accounts)
    ]
    start = f'start_date = "{START:%Y-%m-%d}"'
    with cluster(tmp_path, addresses, connection_settings=start) as machines:
        yield machines
    for path in machines.files():
        content = path.read_bytes()
        assert PASSWORD.encode() not in content, path
        assert b"NeverToBeSeenKey" not in content, path


def test_a_killed_worker_costs_nothing_but_time(
    machines: Cluster, accounts: Sequence[Emulator]
) -> None:
    """The next tick completes the load on the other worker; nobody has to unlock anything."""
    for name in ("one", "two"):
        machines.start_worker(name)
    gate = Gate(accounts[3], after=5)
    machines.start_daemon()
    machines.turn_schedules_on()
    assert gate.reached.wait(10 * DEADLINE)
    holder = wait_until(
        lambda: machines.warehouse.current_holder("account3"), "the lock", every=0.5
    )
    with machines.instance() as instance:
        machines.kill(machines.worker_of(holder.pid))
        gate.open()
        wait_until(
            lambda: synced(instance) == set(DATASETS),
            "a complete sync of each dataset",
            within=10 * DEADLINE,
            every=0.5,
        )
        assert runs(instance, dg.DagsterRunStatus.FAILURE) == {holder.run_id: "account3_sync"}
    machines.close()  # `kill -9` of everything: later runs, which read nothing new, change nothing
    for dataset, emulator in zip(DATASETS, accounts, strict=True):
        assert loaded(machines.warehouse, dataset) == expected(emulator, int(START.timestamp()))
        statuses = {status for _, _, _, status in emulator.requests}
        assert 200 in statuses
        assert 401 not in statuses  # the key of another account


def runs(instance: dg.DagsterInstance, *statuses: dg.DagsterRunStatus) -> dict[str, str]:
    """The jobs of runs, by id."""
    found = instance.get_runs(dg.RunsFilter(statuses=list(statuses)))
    return {run.run_id: run.job_name for run in found}


def synced(instance: dg.DagsterInstance) -> set[str]:
    """The datasets that a sync has brought up to date."""
    jobs = runs(instance, dg.DagsterRunStatus.SUCCESS).values()
    return {job.removesuffix("_sync") for job in jobs if job.endswith("_sync")}
