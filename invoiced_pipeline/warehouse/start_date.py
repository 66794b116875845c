"""The default start date: a year before the first sync, pinned in a file."""

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from invoiced_pipeline.settings import parse_start_date
from invoiced_pipeline.warehouse.database import Database

DEFAULT_HISTORY = timedelta(days=365)


def pin_path(database: Database, dataset: str) -> Path:
    """Returns the file that pins the date, next to the warehouse."""
    return database.beside(f"{dataset}.start_date")


def default_start_date(database: Database, dataset: str, now: datetime | None = None) -> datetime:
    """Returns the pinned start date (UTC midnight), or the one that would be pinned now."""
    with contextlib.suppress(OSError, ValueError):
        return parse_start_date(pin_path(database, dataset).read_text(encoding="utf-8"))
    start = (now or datetime.now(UTC)) - DEFAULT_HISTORY
    return start.replace(hour=0, minute=0, second=0, microsecond=0)


def pin_start_date(database: Database, dataset: str, start: datetime) -> None:
    """Pins the default at the first run, so that partitions do not change from day to day."""
    path = pin_path(database, dataset)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{start:%Y-%m-%d}\n", encoding="utf-8")
