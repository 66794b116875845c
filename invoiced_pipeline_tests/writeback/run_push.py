"""A push in a process of its own: `python -m ... URL KEY FILE COUNT SECONDS`, SECONDS from now."""

import sys
from datetime import timedelta
from pathlib import Path

from invoiced_pipeline.emulator.server import Emulator
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.writeback.clock import SystemClock
from invoiced_pipeline.writeback.report import PushReport
from invoiced_pipeline_tests.writeback.pushing import DATASET, HandClock, Pushing, customers


class Account:
    """The address and key of an emulator that runs elsewhere."""

    def __init__(self, url: str, api_key: str) -> None:
        self.url = url
        self.api_key = api_key


def push_all(account: "Account | Emulator", file: Path, count: int, ahead: float) -> PushReport:
    """Pushes so many customers as if it were some seconds later."""
    clock = HandClock(SystemClock().now() + timedelta(seconds=ahead))
    database = DuckDbDatabase(file)
    pushing = Pushing(account, database, clock)  # type: ignore[arg-type]
    with database.writer_lock(DATASET, "run"):
        return pushing(customers(count))


if __name__ == "__main__":
    url, key, path, number, seconds = sys.argv[1:]
    push_all(Account(url, key), Path(path), int(number), float(seconds))
