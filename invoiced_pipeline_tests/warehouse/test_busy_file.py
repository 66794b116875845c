"""A DuckDB file that another program has open for a moment: commands wait, then continue."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.exceptions import InvoicedPipelineError, WarehouseBusyError
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.duckdb import connection as file_connection
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline_tests.conftest import NOW, Replica, customer
from invoiced_pipeline_tests.front_door import DEADLINE
from invoiced_pipeline_tests.lock_holder import EndsHolder
from invoiced_pipeline_tests.writeback.push_harness import PushHarness, customers

pytestmark = pytest.mark.duckdb("a server is open to many")

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reading")
print("open", flush=True)
sys.stdin.readline()
"""
HOW = pytest.mark.parametrize("how", ["reading", "writing"])


@contextmanager
def held(file: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    """Another program that has `file` open until its input ends."""
    process = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", HOLD, str(file), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def let_go_when_waited_for(process: subprocess.Popen[str]) -> Iterator[list[str]]:
    """Ends the holder at the first message about waiting; returns all messages."""
    messages: list[str] = []

    class Noted(EndsHolder):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())
            if len(messages) == 1:
                super().emit(record)

    handler = Noted(process)
    file_connection.logger.addHandler(handler)
    try:
        yield messages
    finally:
        file_connection.logger.removeHandler(handler)


@pytest.fixture
def pushing(emulator: Emulator, database: Database) -> PushHarness:
    """Pushes to the emulator, with a ledger in the warehouse."""
    return PushHarness(emulator, database).without_replica()


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits like the commands, but much longer, so that a slow machine fails no test."""
    monkeypatch.setattr(file_connection, "WAIT_SECONDS", DEADLINE)


def read(database: DuckDbDatabase) -> object:
    with database.session("invoiced", read_only=True) as session:
        return session.rows("select 1")


def write(database: DuckDbDatabase) -> object:
    with database.session("invoiced") as session:
        return session.run("create table written (id integer)")


def check(database: DuckDbDatabase) -> object:
    return database.check_writable()


def select(database: DuckDbDatabase) -> object:
    return database.select("invoiced", "select 1 as one")


OPENINGS = pytest.mark.parametrize("opens", [read, write, check, select])


@HOW
@OPENINGS
@pytest.mark.usefixtures("_patient")
def test_every_connection_waits_and_logs_it_once(
    warehouse: Path, how: str, opens: Callable[[DuckDbDatabase], object]
) -> None:
    duckdb.connect(str(warehouse)).close()
    if how == "reading" and opens in {read, select}:
        pytest.skip("two readers do not disturb each other")
    with held(warehouse, how) as process, let_go_when_waited_for(process) as messages:
        opens(DuckDbDatabase(warehouse))
    assert len(messages) == 1
    assert messages[0].startswith(f"Another program has {warehouse} open; waiting up to")


@HOW
@OPENINGS
def test_after_the_wait_the_message_names_file_holder_and_remedy(
    warehouse: Path,
    how: str,
    opens: Callable[[DuckDbDatabase], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    duckdb.connect(str(warehouse)).close()
    if how == "reading" and opens in {read, select}:
        pytest.skip("two readers do not disturb each other")
    # No wait at all: the test is about the message after it.
    monkeypatch.setattr(file_connection, "WAIT_SECONDS", 0.0)
    with held(warehouse, how) as process, pytest.raises(WarehouseBusyError) as caught:
        opens(DuckDbDatabase(warehouse))
    message = str(caught.value)
    assert message.startswith(f"Another program has {warehouse} open")
    assert str(process.pid) in message
    assert "Close it" in message
    assert message.endswith("then run again")


def test_other_errors_do_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(file_connection, "WAIT_SECONDS", DEADLINE)
    monkeypatch.setattr("tenacity.nap.time.sleep", never)
    file = tmp_path / "text.duckdb"
    file.write_text("no database " * 1000)
    with pytest.raises(InvoicedPipelineError):
        read(DuckDbDatabase(file))


@HOW
@pytest.mark.usefixtures("_patient")
def test_sync_waits_for_a_reader_at_its_load(
    emulator: Emulator, replicate: Replica, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is free when the sync begins, and held when the load begins."""
    replicate.keeps_open = False  # so that another process can hold the file
    replicate.ok("customers")
    emulator.store.put_many("customers", [customer(n, NOW - 1) for n in range(1, 11)])
    file = Path(replicate.database.label)
    with _held_at(monkeypatch, "invoiced_pipeline.warehouse.duckdb.pipeline.connect", file, how):
        report = replicate.ok("customers")["customers"]
    assert report.rows == 10
    assert replicate.ids("customers") == list(range(1, 11))


def test_sync_whose_load_is_blocked_names_the_program(
    emulator: Emulator, replicate: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    replicate.keeps_open = False  # so that another process can hold the file
    emulator.store.put("customers", customer(1))
    file = Path(replicate.database.label)

    def connect(path: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        with held(file, "writing"):
            return file_connection.connect(path, **options)

    duckdb.connect(str(file)).close()
    with monkeypatch.context() as patched:
        patched.setattr("invoiced_pipeline.warehouse.duckdb.pipeline.connect", connect)
        with pytest.raises(WarehouseBusyError, match="Another program has") as caught:
            replicate("customers")
    assert str(caught.value).endswith("then run again. The next run repeats this one's work")
    assert replicate.ok("customers")["customers"].rows == 1


@HOW
@pytest.mark.usefixtures("_patient")
def test_push_waits_for_a_reader(
    pushing: PushHarness, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is held between the first request and the ledger's next entry."""
    file = Path(pushing.database.label)
    target = "invoiced_pipeline.warehouse.duckdb.session.connect"
    with _held_at(
        monkeypatch, target, file, how, when=lambda: pushing.emulator.store.count("customers") > 0
    ):
        assert pushing(customers(3)).failure is None
    assert pushing.states() == dict.fromkeys(("k0", "k1", "k2"), "succeeded")
    assert pushing.emulator.store.count("customers") == 3


@contextmanager
def _held_at(
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    file: Path,
    how: str,
    when: Callable[[], bool] = lambda: True,
) -> Iterator[None]:
    """Lets another program hold `file` just before it is opened, until someone waits for it."""
    waited: list[str] = []

    def connect(path: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        if waited or options.get("read_only") or not when():
            return file_connection.connect(path, **options)
        with held(file, how) as process, let_go_when_waited_for(process) as messages:
            connection = file_connection.connect(path, **options)
        waited.extend(messages)
        return connection

    monkeypatch.setattr(target, connect)
    yield
    assert len(waited) == 1
