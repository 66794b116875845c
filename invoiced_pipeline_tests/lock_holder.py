"""Another process that holds the writer's lock."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline_tests.postgres_server import address

LOCKS = {
    "duckdb": "invoiced_pipeline.warehouse.duckdb.file_lock",
    "postgres": "invoiced_pipeline.warehouse.postgres.advisory_lock",
}
"""The modules of the locks, which say when they wait, by kind of warehouse."""

HOLD = """
import json, sys
from invoiced_pipeline.settings import WarehouseSettings
from invoiced_pipeline.warehouse.open import open_database
settings = WarehouseSettings(**json.loads(sys.stdin.readline()))
with open_database(settings).writer_lock(sys.argv[2], sys.argv[1]) as dead:
    print("holding", dead.run_id if dead else "-", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def holding(
    warehouse: Path | Database, run_id: str, dataset: str = "sales"
) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock, on a server that of a dataset, until its input ends."""
    database = DuckDbDatabase(warehouse) if isinstance(warehouse, Path) else warehouse
    process = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", HOLD, run_id, dataset],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(settings_of(database)) + "\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith("holding")
        yield process
    finally:
        process.kill()
        process.communicate()


def settings_of(database: Database) -> dict[str, str]:
    """The settings by which another process opens it; they hold its password."""
    if database.kind == "postgres":
        return {"destination": "postgres", "credentials": address(database)}
    return {"destination": "duckdb", "path": database.label}


class EndsHolder(logging.Handler):
    """Ends the process that holds the lock as soon as something is logged."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__(logging.INFO)
        self._process = process

    def emit(self, record: logging.LogRecord) -> None:
        self._process.communicate("\n")
