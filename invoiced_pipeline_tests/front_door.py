"""The project as its users meet it: real commands in a folder of their own, against an emulator."""

import base64
import os
import shutil
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import dagster as dg

from invoiced_emulator.run import fill
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLES
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline_tests.postgres_server import PASSWORD
from invoiced_pipeline_tests.processes import BINARIES, REPOSITORY, Process, start_process
from invoiced_pipeline_tests.warehouses import opened, warehouse_variables

KEY = "NeverToBeSeenKey0123456789abcdef"
SECRETS = (KEY, base64.b64encode(f"{KEY}:".encode()).decode(), PASSWORD)
"""The key as it is set and as it goes over the wire, and a server's password."""

EPOCH = "extract(epoch from updated_at)"

DEADLINE = 180.0
"""Seconds after which whatever was waited for counts as lost; far above what anything takes."""


def wait_until(
    condition: Callable[[], Any], what: str, *, within: float = DEADLINE, every: float = 0.02
) -> Any:
    """Polls until `condition` gives something true, and returns that; times are in seconds."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(every)
    raise AssertionError(f"{what}: not within {within:.0f} s")


@dataclass(frozen=True)
class Finished:
    """A command that ended."""

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass
class FrontDoor:
    """A folder with this project's files, and commands run in it.

    No output of any command may hold the API key; `assert_no_secret` looks through all files too.
    """

    folder: Path
    environment: dict[str, str]
    is_cold: bool = False
    """Whether each command starts an interpreter of its own, in which nothing is imported."""

    _running: list[Process] = field(default_factory=list)

    @property
    def warehouse(self) -> Path:
        """The DuckDB file, where it is one."""
        return self.folder / "data" / "warehouse.duckdb"

    @property
    def database(self) -> Database:
        """The warehouse, as this process sees it."""
        return opened(self.environment, self.folder)

    def start(
        self,
        *command: str,
        log: IO[str] | None = None,
        terminal: int | None = None,
        **environment: str,
    ) -> Process:
        """Starts a command as the leader of its own process group; it speaks into `log`."""
        process = start_process(
            command,
            self.folder,
            {**self.environment, **environment},
            log=log,
            terminal=terminal,
            cold=self.is_cold,
        )
        self._running.append(process)
        return process

    def finish(self, process: Process) -> Finished:
        out, err = process.communicate(timeout=DEADLINE)
        assert process.returncode is not None
        finished = Finished(process.returncode, out or "", err or "")
        for secret in SECRETS:
            assert secret not in finished.said
        return finished

    def run(self, *command: str, status: int | None = 0, **environment: str) -> Finished:
        """Runs a command to its end, which must be exit code `status` (None for any)."""
        finished = self.finish(self.start(*command, **environment))
        assert status in {None, finished.status}, finished.said
        return finished

    def sync(self, *options: str, status: int = 0, **environment: str) -> Finished:
        return self.run("invoiced-pipeline", "sync", *options, status=status, **environment)

    def materialize(self, *options: str, status: int = 0, **environment: str) -> Finished:
        target = ("dagster", "asset", "materialize", "-m", "invoiced_pipeline.definitions")
        return self.run(*target, *options, status=status, **environment)

    def kill(self, process: Process) -> None:
        """`kill -9` of a command and all that it started."""
        os.killpg(process.pid, signal.SIGKILL)
        self.finish(process)

    def close(self) -> None:
        """Ends what a failed test left running."""
        for process in self._running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate(timeout=DEADLINE)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query; tables are named without the dataset."""
        with self.database.session("invoiced", read_only=True) as session:
            return session.rows(sql)

    def loaded(self) -> dict[str, dict[Any, int]]:
        """`updated_at` of every row, by table and id; an id that is there twice is an error."""
        return loaded(self.database)

    @contextmanager
    def instance(self, storage: Path | None = None) -> Iterator[dg.DagsterInstance]:
        """The Dagster instance of the folder, or another one, as another process sees it."""
        storage = storage or self.folder / "data" / "dagster"
        with dg.DagsterInstance.local_temp(
            str(storage),
            overrides={
                "storage": {"sqlite": {"base_dir": str(storage)}},
                "telemetry": {"enabled": False},
            },
        ) as instance:
            yield instance

    def runs(self) -> dict[str, str]:
        """Status of every run by id, newest first."""
        with self.instance() as instance:
            return {run.run_id: run.status.value for run in instance.get_runs()}

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]

    def assert_no_secret(self) -> None:
        for path in self.files():
            content = path.read_bytes()
            for secret in SECRETS:
                assert path.name == ".env" or secret.encode() not in content, path


@contextmanager
def front_door(
    folder: Path, emulator: Emulator | None = None, *, cold: bool = False
) -> Iterator[FrontDoor]:
    """A folder to run commands in, set up for `emulator` when there is one.

    Commands are forked from a process that has imported everything (`fork_server.py`), which saves
    four of the five seconds that a short one takes. A few tests start them `cold`, as users do: one
    of each kind, so that an import that is missing, slow or in the way shows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(REPOSITORY / name, folder / name)
    environment = {
        "PATH": f"{BINARIES}:/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(REPOSITORY),
    }
    if emulator is not None:
        environment |= {"INVOICED_API_URL": emulator.url, "INVOICED_API_KEY": emulator.api_key}
    with warehouse_variables() as variables:
        door = FrontDoor(folder, environment | variables, cold)
        try:
            yield door
            door.assert_no_secret()
        finally:
            door.close()


@contextmanager
def invoiced_account(*, customers: int = 0, **settings: Any) -> Iterator[Emulator]:
    """An Invoiced account whose key must never be seen, with made-up records."""
    with Emulator(api_key=KEY, **settings) as emulator:
        if customers:
            # An hour ago, so that no sync's overlap reaches any of it.
            fill(emulator.store, seed=1, customers=customers, now=emulator.clock.now() - 3600)
        yield emulator


def expected(emulator: Emulator, since: int) -> dict[str, dict[Any, int]]:
    """What `FrontDoor.loaded` must give for the account's records changed since `since`."""
    tables = {}
    for table in TABLES:
        versions: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        for record in emulator.store.all(table.name):
            versions[record["id"]].append(record)
        # Ids of plans are used again: the live one counts, else the last.
        kept = [
            max(same, key=lambda plan: (not plan.get("archived"), plan.get("internal_id", 0)))
            for same in versions.values()
        ]
        tables[table.name] = {
            record["id"]: record["updated_at"] for record in kept if record["updated_at"] >= since
        }
    return tables


def loaded(database: Database, dataset: str = "invoiced") -> dict[str, dict[Any, int]]:
    """`updated_at` of every row, by table and id; an id that is there twice is an error."""
    tables = {}
    with database.session(dataset, read_only=True) as session:
        for table in TABLES:
            stamp = "updated_at" if table.name == "plans" else f"cast({EPOCH} as bigint)"
            rows = session.rows(f"select id, {stamp} from {table.name}")
            tables[table.name] = dict(rows)
            assert len(tables[table.name]) == len(rows), f"{table.name} has doubles"
    return tables


class Gate:
    """Lets the emulator stop at a request, so that a reader is surely in the midst of reading.

    Args:
        emulator: Where; all of its answers wait while it stops.
        after: How many requests are answered first.
        at_writes: Stop at writes, carried out and not answered, instead of at reads.
    """

    def __init__(self, emulator: Emulator, *, after: int = 0, at_writes: bool = False) -> None:
        self.reached = threading.Event()
        self._opened = threading.Event()
        self._emulator = emulator
        self._left = after
        if at_writes:
            emulator.on_write = self._stop
        else:
            emulator.on_request = self._stop

    def _stop(self, *_: object) -> None:
        self._left -= 1
        if self._left < 0:
            self.reached.set()
            self._opened.wait(DEADLINE)

    def open(self) -> None:
        self._emulator.on_request = self._emulator.on_write = None
        self._opened.set()
