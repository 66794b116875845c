"""`kill -9` at any moment, two at once, an older warehouse: the same command mends it."""

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.warehouse.database import Holder
from invoiced_pipeline_tests.front_door import (
    FrontDoor,
    Gate,
    expected,
    front_door,
    invoiced_account,
    wait_until,
)

_TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
START = (_TODAY.replace(day=1) - timedelta(days=70)).replace(day=10)


@pytest.fixture
def account() -> Iterator[Emulator]:
    with invoiced_account(customers=25) as emulator:
        yield emulator


@pytest.fixture
def door(tmp_path: Path, account: Emulator) -> Iterator[FrontDoor]:
    with front_door(tmp_path, account) as door:
        door.environment["INVOICED_START_DATE"] = START.isoformat()
        yield door


def holder(door: FrontDoor) -> Holder | None:
    return door.database.current_holder("invoiced")


def start_sync(door: FrontDoor) -> subprocess.Popen[str]:
    return door.start("invoiced-pipeline", "sync")


def assert_whole(door: FrontDoor, account: Emulator) -> None:
    """Nothing is lost, nothing is doubled, children included."""
    assert door.loaded() == expected(account, int(START.timestamp()))
    for table, array in (("invoices", "items"), ("payments", "applied_to")):
        held = door.query(f"select {array} from {table} where {array} is not null")
        elements = sum(len(json.loads(text) or ()) for (text,) in held)
        assert door.query(f"select count(*) from {table}__{array}") == [(elements,)]


def assert_mended(door: FrontDoor, account: Emulator, *, dead: int = 1) -> None:
    """The same command completes, and the dead runs are known as failed."""
    said = json.loads(door.sync("--json").out)
    assert said["error"] is None
    statuses = list(door.runs().values())
    assert statuses == ["SUCCESS"] + ["FAILURE"] * dead
    assert_whole(door, account)


def dagster_has_a_run(door: FrontDoor) -> bool:
    storage = door.folder / "data" / "dagster" / "history" / "runs"
    return any(path.stem != "index" for path in storage.glob("*.db")) and bool(door.runs())


def a_package_is(folder: str, what: str) -> Callable[[FrontDoor], bool]:
    def reached(door: FrontDoor) -> bool:
        return any(door.database.beside("dlt").glob(f"*/{folder}/*/{what}"))

    return reached


_MOMENTS: dict[str, Callable[[FrontDoor], bool]] = {
    "Dagster plans the run": dagster_has_a_run,
    "the lock is held": lambda door: holder(door) is not None,
    "extracted, not normalised": a_package_is("normalize", "**/*.parquet"),
    "normalised, not loaded": a_package_is("load/normalized", "new_jobs/*"),
    "loading": a_package_is("load/normalized", "started_jobs/*"),
    "first table loaded": a_package_is("load/normalized", "completed_jobs/*"),
    "loaded, results not recorded": a_package_is("load/loaded", "*"),
}
_ALWAYS = {"loading"}


@pytest.mark.parametrize(
    "moment",
    [
        moment if moment in _ALWAYS else pytest.param(moment, marks=pytest.mark.slow)
        for moment in _MOMENTS
    ],
)
def test_killed_on_its_way(moment: str, door: FrontDoor, account: Emulator) -> None:
    process = start_sync(door)
    reached = _MOMENTS[moment]
    wait_until(lambda: reached(door) or process.poll() is not None, moment)
    door.kill(process)
    assert_mended(door, account)


@pytest.mark.parametrize(
    "moment",
    [
        moment if moment in _ALWAYS else pytest.param(moment, marks=pytest.mark.slow)
        for moment in _MOMENTS
    ],
)
def test_terminated_on_its_way(moment: str, door: FrontDoor, account: Emulator) -> None:
    process = start_sync(door)
    reached = _MOMENTS[moment]
    wait_until(lambda: reached(door) or process.poll() is not None, moment)
    process.send_signal(signal.SIGTERM)
    said = door.finish(process)
    (status,) = door.runs().values()
    # Between its planning and its start, Dagster notes nothing: the next run marks that one.
    ends = {(143, "FAILURE"), (143, "NOT_STARTED"), (0, "SUCCESS")}
    assert (said.status, status) in ends, said.said
    assert ("Stopped by SIGTERM" in said.err) == (said.status == 143)
    assert "Traceback" not in said.said
    assert holder(door) is None
    door.sync()
    assert set(door.runs().values()) <= {"SUCCESS", "FAILURE"}
    assert_whole(door, account)


def test_killed_while_reading_twice_then_two_at_once(door: FrontDoor, account: Emulator) -> None:
    # The second run marks the first.
    for after, runs in ((0, ["STARTED"]), (6, ["STARTED", "FAILURE"])):
        gate = Gate(account, after=after)
        process = start_sync(door)
        assert gate.reached.wait(120)
        # A request of the run before may have reached the gate, too.
        wait_until(lambda: list(door.runs().values()) == runs, f"{runs}")  # noqa: B023
        door.kill(process)
        gate.open()

    gate = Gate(account)
    running = start_sync(door)
    assert gate.reached.wait(120)
    wait_until(lambda: (held := holder(door)) and held.pid == running.pid, "the lock is held")
    refused = door.sync(status=1)
    assert "failed: another run writes this warehouse: run " in refused.err
    assert f"(pid {running.pid}, since " in refused.err
    gate.open()
    assert door.finish(running).status == 0
    assert list(door.runs().values()) == ["FAILURE", "SUCCESS", "FAILURE", "FAILURE"]
    assert_whole(door, account)


def test_interrupted_by_ctrl_c(door: FrontDoor, account: Emulator) -> None:
    door.is_cold = True
    gate = Gate(account)
    process = start_sync(door)
    assert gate.reached.wait(120)
    process.send_signal(signal.SIGINT)
    gate.open()
    said = door.finish(process)
    assert said.status != 0
    assert "interrupted. What was loaded is complete; run again to load the rest" in said.err
    assert "Traceback" not in said.said
    assert holder(door) is None
    assert_mended(door, account)


@pytest.mark.slow
@pytest.mark.duckdb("an older file is put back")
def test_an_older_warehouse_put_back_is_brought_up_to_date(
    door: FrontDoor, account: Emulator
) -> None:
    door.sync()
    copy = door.folder / "copy.duckdb"
    shutil.copy(door.warehouse, copy)
    for number in list(expected(account, int(START.timestamp()))["invoices"])[:7]:
        record = account.store.get("invoices", number)
        assert record is not None
        account.store.put("invoices", record | {"updated_at": account.clock.now(), "notes": "New"})
    door.sync()
    assert_whole(door, account)

    shutil.copy(copy, door.warehouse)
    assert door.query("select count(*) from invoices where notes = 'New'") == [(0,)]
    door.sync()
    assert door.query("select count(*) from invoices where notes = 'New'") == [(7,)]
    assert_whole(door, account)

    # Also when the file is gone altogether, with what dlt and Dagster remember left in place.
    door.warehouse.unlink()
    door.sync()
    assert_whole(door, account)
