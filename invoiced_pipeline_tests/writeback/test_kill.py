"""`kill -9` during a push, at a commit whose response never arrives: every row once."""

import json
import subprocess
import sys

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.exceptions import WarehouseBusyError
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline_tests.front_door import DEADLINE, wait_until
from invoiced_pipeline_tests.lock_holder import settings_of
from invoiced_pipeline_tests.writeback.push_harness import PushHarness
from invoiced_pipeline_tests.writeback.run_push import push_all

COUNT = 400
SCRIPT = "invoiced_pipeline_tests.writeback.run_push"


def start(emulator: Emulator, database: Database, ahead: int) -> subprocess.Popen[bytes]:
    arguments = [emulator.url, emulator.api_key, str(COUNT), str(ahead)]
    process = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-m", SCRIPT, *arguments], stdin=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(settings_of(database)).encode() + b"\n")
    process.stdin.close()
    return process


@pytest.mark.slow
@pytest.mark.parametrize("kills", [[(1, 0)], [(100, 0), (60, 1)], [(7, 0), (100, 1), (30, 500)]])
def test_killed_pushes(
    emulator: Emulator, database: Database, kills: list[tuple[int, int]]
) -> None:
    """Each push dies at a commit, `ahead` seconds from now; the next one looks its claims up."""
    pushing = PushHarness(emulator, database).without_replica()
    for commit, ahead in kills:
        process = start(emulator, database, ahead)
        kill_at_commit(emulator, process, commit)
    assert any(state == "sent" for state in pushing.states().values())
    report = push_all(emulator, database, COUNT, ahead=5_000)
    assert report.failure is None
    names = [record["name"] for record in emulator.store.all("customers")]
    assert sorted(names) == sorted(f"Customer {number}" for number in range(COUNT))
    ids = {record["id"] for record in emulator.store.all("customers")}
    assert {int(entry.invoiced_id or 0) for entry in pushing.entries().values()} == ids


def kill_at_commit(emulator: Emulator, process: subprocess.Popen[bytes], commit: int) -> None:
    """Kills a push when the API has carried out `commit` of its requests, before the response."""
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
def test_second_process_is_refused_while_the_first_runs(
    emulator: Emulator, database: Database
) -> None:
    emulator.faults.next("stall_before_commit", method="POST")
    process = start(emulator, database, ahead=0)
    emulator.faults.stalls.wait()
    with pytest.raises(WarehouseBusyError, match="holds"):
        push_all(emulator, database, COUNT, ahead=0)
    emulator.faults.stalls.release()
    assert process.wait(DEADLINE) == 0
    wait_until(lambda: emulator.store.count("customers") == COUNT, "all customers")
