"""Another process that holds the writer's lock."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
with DuckDbDatabase(Path(sys.argv[1])).writer_lock("invoiced", sys.argv[2]) as dead:
    print("holding", dead.run_id if dead else "-", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def holding(warehouse: Path, run_id: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its input ends."""
    process = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", HOLD, str(warehouse), run_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("holding")
        yield process
    finally:
        process.kill()
        process.communicate()


class EndsHolder(logging.Handler):
    """Ends the process that holds the lock as soon as something is logged."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__(logging.INFO)
        self._process = process

    def emit(self, record: logging.LogRecord) -> None:
        self._process.communicate("\n")
