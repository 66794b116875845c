"""`kill -9` in the midst of a push, at a commit whose answer never arrives: each row once."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from invoiced_pipeline.emulator.server import Emulator
from invoiced_pipeline.exceptions import WarehouseBusyError
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline_tests.front_door import DEADLINE, wait_until
from invoiced_pipeline_tests.postgres_server import new_database
from invoiced_pipeline_tests.writeback.pushing import Pushing
from invoiced_pipeline_tests.writeback.run_push import push_all, warehouse_at

COUNT = 400
SCRIPT = "invoiced_pipeline_tests.writeback.run_push"


Start = Callable[[int], "subprocess.Popen[bytes]"]


@pytest.fixture(params=["duckdb", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A warehouse that does not exist yet, as another process is told of it."""
    if request.param == "duckdb":
        yield str(tmp_path / "invoiced.duckdb")
        return
    with new_database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
def ledger_in(place: str, tmp_path: Path) -> Database:
    return warehouse_at(place, tmp_path)


@pytest.fixture
def start(emulator: Emulator, place: str, tmp_path: Path) -> Start:
    """Starts a push in a process of its own, so many seconds from now."""

    def run(ahead: int) -> "subprocess.Popen[bytes]":
        account = (emulator.url, emulator.api_key)
        arguments = [*account, place, str(tmp_path), str(COUNT), str(ahead)]
        return subprocess.Popen([sys.executable, "-m", SCRIPT, *arguments])  # noqa: S603 - our own

    return run


@pytest.mark.slow
@pytest.mark.parametrize("kills", [[(1, 0)], [(100, 0), (60, 1)], [(7, 0), (100, 1), (30, 500)]])
def test_killed_pushes(
    emulator: Emulator, ledger_in: Database, start: Start, kills: list[tuple[int, int]]
) -> None:
    """Each push dies at some commit, so many seconds from now; what it claimed is looked up."""
    pushing = Pushing(emulator, ledger_in).without_replica()
    for commit, ahead in kills:
        kill_at_commit(emulator, start(ahead), commit)
    assert any(state == "sent" for state in pushing.states().values())
    report = push_all(emulator, ledger_in, COUNT, ahead=5_000)
    assert report.failure is None
    names = [record["name"] for record in emulator.store.all("customers")]
    assert sorted(names) == sorted(f"Customer {number}" for number in range(COUNT))
    ids = {record["id"] for record in emulator.store.all("customers")}
    assert {int(entry.invoiced_id or 0) for entry in pushing.entries().values()} == ids


def kill_at_commit(emulator: Emulator, process: subprocess.Popen[bytes], commit: int) -> None:
    """Kills a push when the API has carried out so many of its requests, before it answers."""
    seen = 0

    def on_write(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == commit:
            process.kill()

    emulator.on_write = on_write
    process.wait(DEADLINE)
    emulator.on_write = None
    assert process.returncode == -9


@pytest.mark.slow
def test_second_process_is_told_of_the_first(
    emulator: Emulator, ledger_in: Database, start: Start
) -> None:
    emulator.faults.next("stall_before_commit", method="POST")
    process = start(0)
    emulator.faults.stalls.wait()
    with pytest.raises(WarehouseBusyError, match="holds"):
        push_all(emulator, ledger_in, COUNT, ahead=0)
    emulator.faults.stalls.release()
    assert process.wait(DEADLINE) == 0
    wait_until(lambda: emulator.store.count("customers") == COUNT, "all customers")
