"""SIGTERM to a command: exit code 143, one sentence, no traceback, no lock left."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.front_door import (
    Finished,
    FrontDoor,
    Gate,
    front_door,
    invoiced_account,
    wait_until,
)

COUNT = 300
PUSH = ("writeback", "push", "crm", "--json")
WRITEBACK = """
[[writeback]]
name = "crm"
operation = "create_customer"
source = "crm.csv"
key = "number"
mapping = { number = "number", name = "name" }
active = true
check_replica = false
"""


@pytest.fixture
def account() -> Iterator[Emulator]:
    with invoiced_account(customers=25) as emulator:
        yield emulator


@pytest.fixture
def door(tmp_path: Path, account: Emulator) -> Iterator[FrontDoor]:
    with front_door(tmp_path, account) as door:
        rows = "".join(f"T-{number},Company {number}\n" for number in range(COUNT))
        (tmp_path / "crm.csv").write_text(f"number,name\n{rows}", encoding="utf-8")
        (tmp_path / "invoiced.toml").write_text(WRITEBACK, encoding="utf-8")
        yield door


def terminated(door: FrontDoor, account: Emulator, *command: str, after: int) -> Finished:
    """Sends SIGTERM to a command while the API does not answer; returns how it ended."""
    gate = Gate(account, after=after, at_writes=command == PUSH)
    process = door.start("invoiced-pipeline", *command)
    wait_until(lambda: gate.reached.is_set() or process.poll() is not None, "a request")
    assert gate.reached.is_set(), door.finish(process).said
    process.send_signal(signal.SIGTERM)
    gate.open()
    return door.finish(process)


def assert_stopped(door: FrontDoor, said: Finished) -> None:
    assert said.status == 128 + signal.SIGTERM, said.said
    assert said.err.count("Stopped by SIGTERM: ") == 1
    assert "the next run continues where this one stopped" in said.err
    assert "Traceback" not in said.said
    assert door.database.current_holder("invoiced") is None


@pytest.mark.parametrize(
    ("command", "after"), [(("sync",), 0), (("sync", "--full"), 6), (("sweep",), 1), (PUSH, 40)]
)
def test_sigterm_stops_a_run(
    door: FrontDoor, account: Emulator, command: tuple[str, ...], after: int
) -> None:
    if command[0] == "sweep":
        door.sync()
    said = terminated(door, account, *command, after=after)
    assert_stopped(door, said)
    assert next(iter(door.runs().values())) == "FAILURE"
    door.run("invoiced-pipeline", *command)
    assert next(iter(door.runs().values())) == "SUCCESS"


def test_sigterm_stops_a_command_without_a_run(door: FrontDoor, account: Emulator) -> None:
    assert_stopped(door, terminated(door, account, "check", after=0))


def test_a_stopped_push_records_what_it_knows(door: FrontDoor, account: Emulator) -> None:
    said = terminated(door, account, *PUSH, after=40)
    assert "the ledger holds the outcome of each request" in said.said
    before = json.loads(
        door.run("invoiced-pipeline", "writeback", "status", "crm", "--json", status=None).out
    )["states"]
    sent = [each["number"] for each in account.store.all("customers")]
    made = sum(str(number).startswith("T-") for number in sent)
    assert 0 < made < COUNT
    assert before["succeeded"] == made
    assert before["sent"] == 0  # no outcome is open
    door.run("invoiced-pipeline", *PUSH)
    numbers = sorted(each["number"] for each in account.store.all("customers"))
    assert [each for each in numbers if each.startswith("T-")] == sorted(
        f"T-{number}" for number in range(COUNT)
    )


IN_A_CALLBACK = """
import os, signal, threading, weakref
from invoiced_pipeline.commands.common.termination import orderly_termination

class Referent: pass

def callback(_):
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(1000): pass  # the handler runs in here, where its exception is lost

with orderly_termination():
    referent = Referent()
    reference = weakref.ref(referent, callback)
    del referent
    threading.Event().wait(60)
"""


def test_sigterm_is_not_lost_in_a_callback() -> None:
    said = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-c", IN_A_CALLBACK], capture_output=True, text=True, check=False
    )
    assert said.returncode == 128 + signal.SIGTERM
    assert "Stopped by SIGTERM" in said.stderr
    assert "Traceback" not in said.stderr
