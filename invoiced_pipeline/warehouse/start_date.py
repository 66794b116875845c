"""The start date that holds while none is set: a year before the first sync, pinned in a file."""

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from invoiced_pipeline.settings import parse_start_date

DEFAULT_REACH = timedelta(days=365)


def _pin_path(warehouse: Path, dataset: str) -> Path:
    return warehouse.with_name(f"{warehouse.name}.{dataset}.start_date")


def default_start_date(warehouse: Path, dataset: str, now: datetime | None = None) -> datetime:
    """The pinned start date (UTC midnight), or the one that would be pinned now."""
    with contextlib.suppress(OSError, ValueError):
        return parse_start_date(_pin_path(warehouse, dataset).read_text(encoding="utf-8"))
    start = (now or datetime.now(UTC)) - DEFAULT_REACH
    return start.replace(hour=0, minute=0, second=0, microsecond=0)


def pin_start_date(warehouse: Path, dataset: str, start: datetime) -> None:
    """Writes the default down at the first run, so that partitions do not move from day to day."""
    path = _pin_path(warehouse, dataset)
    if not path.exists():
        path.write_text(f"{start:%Y-%m-%d}\n", encoding="utf-8")
