"""A push in a process of its own: `python -m ... URL KEY WAREHOUSE FOLDER COUNT SECONDS`.

WAREHOUSE is a DuckDB file or a PostgreSQL URL; SECONDS are from now.
"""

import sys
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from invoiced_pipeline.emulator.server import Emulator
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase
from invoiced_pipeline.writeback.clock import SystemClock
from invoiced_pipeline.writeback.report import PushReport
from invoiced_pipeline_tests.writeback.pushing import DATASET, HandClock, Pushing, customers


class Account:
    """The address and key of an emulator that runs elsewhere."""

    def __init__(self, url: str, api_key: str) -> None:
        self.url = url
        self.api_key = api_key


def warehouse_at(place: str, folder: Path) -> Database:
    """The warehouse of a file or URL; what it needs beside it is in `folder`."""
    if place.startswith("postgres"):
        return PostgresDatabase(SecretStr(place), folder)
    return DuckDbDatabase(Path(place))


def push_all(
    account: "Account | Emulator", database: Database, count: int, ahead: float
) -> PushReport:
    """Pushes so many customers as if it were some seconds later."""
    clock = HandClock(SystemClock().now() + timedelta(seconds=ahead))
    pushing = Pushing(account, database, clock)  # type: ignore[arg-type]
    with database.writer_lock(DATASET, "run"):
        return pushing(customers(count))


if __name__ == "__main__":
    url, key, place, folder, number, seconds = sys.argv[1:]
    warehouse = warehouse_at(place, Path(folder))
    push_all(Account(url, key), warehouse, int(number), float(seconds))
