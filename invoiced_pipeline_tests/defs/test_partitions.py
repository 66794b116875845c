"""Partitions: the first, the last, and the default start date."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from invoiced_pipeline.defs.partitions import floor_to_period, partitions_for
from invoiced_pipeline.settings import Cadence
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.start_date import default_start_date, pin_start_date

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


_GRIDS: list[tuple[Cadence, str, str, str, int]] = [
    ("monthly", "2025-11-22", "2025-11-01", "2026-11-01", 13),
    ("monthly", "2025-11-01", "2025-11-01", "2026-11-01", 13),
    ("monthly", "2025-11-30T23:59:59", "2025-11-01", "2026-11-01", 13),
    ("monthly", "2026-11-22", "2026-11-01", "2026-11-01", 1),
    ("weekly", "2026-11-11", "2026-11-08", "2026-11-22", 3),  # weeks begin on Sunday
    ("weekly", "2026-11-08", "2026-11-08", "2026-11-22", 3),
    ("weekly", "2026-11-07", "2026-11-01", "2026-11-22", 4),
    ("daily", "2026-11-20T13:00:00", "2026-11-20", "2026-11-22", 3),
    ("daily", "2024-02-29", "2024-02-29", "2026-11-22", 998),
]


@pytest.mark.parametrize(("cadence", "start", "first", "last", "count"), _GRIDS)
def test_partitions_reach_from_the_start_date_to_the_current_period(
    cadence: Cadence, start: str, first: str, last: str, count: int
) -> None:
    partitions = partitions_for(cadence, utc(start))
    keys = partitions.get_partition_keys(current_time=NOW)
    assert (keys[0], keys[-1], len(keys)) == (first, last, count)
    assert floor_to_period(utc(start), cadence) == utc(first)
    running = partitions.time_window_for_partition_key(keys[-1])
    assert running.start <= NOW < running.end


def test_the_default_start_is_a_year_ago_until_the_first_run_pins_it(tmp_path: Path) -> None:
    warehouse = DuckDbDatabase(tmp_path / "invoiced.duckdb")
    assert default_start_date(warehouse, "invoiced", NOW) == utc("2025-11-22")
    assert list(tmp_path.iterdir()) == []

    pin_start_date(warehouse, "invoiced", utc("2025-11-22"))
    pin_start_date(warehouse, "invoiced", utc("2026-01-01"))
    later = datetime(2027, 3, 1, tzinfo=UTC)
    assert default_start_date(warehouse, "invoiced", later) == utc("2025-11-22")
    assert default_start_date(warehouse, "other", later) == utc("2026-03-01")
