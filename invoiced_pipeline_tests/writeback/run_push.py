"""A push in its own process: `python -m ... URL KEY COUNT SECONDS`, SECONDS from now.

It reads the settings of its warehouse from standard input: they may hold a password.
"""

import json
import sys
from datetime import timedelta

from invoiced_emulator.server import Emulator
from invoiced_pipeline.settings import WarehouseSettings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline.writeback.clock import SystemClock
from invoiced_pipeline.writeback.push.report import PushReport
from invoiced_pipeline_tests.writeback.push_harness import (
    DATASET,
    HandClock,
    PushHarness,
    customers,
)


class Account:
    """The address and key of an emulator in another process."""

    def __init__(self, url: str, api_key: str) -> None:
        self.url = url
        self.api_key = api_key


def push_all(
    account: "Account | Emulator", database: Database, count: int, ahead: float
) -> PushReport:
    """Pushes `count` customers, `ahead` seconds from now by the clock of the push."""
    clock = HandClock(SystemClock().now() + timedelta(seconds=ahead))
    pushing = PushHarness(account, database, clock)  # type: ignore[arg-type]
    with database.writer_lock(DATASET, "run"):
        return pushing(customers(count))


if __name__ == "__main__":
    url, key, number, seconds = sys.argv[1:]
    warehouse = open_database(WarehouseSettings(**json.loads(sys.stdin.readline())))
    push_all(Account(url, key), warehouse, int(number), float(seconds))
