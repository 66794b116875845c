"""The default start date, pinned so that partitions do not change from day to day."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.start_date import default_start_date, pin_start_date

NOW = datetime(2026, 3, 15, 12, 30, tzinfo=UTC)
LATER = datetime(2026, 9, 1, tzinfo=UTC)


def test_default_is_a_year_back_and_stays_once_pinned(database: Database) -> None:
    first = default_start_date(database, "invoiced", NOW)
    assert first == datetime(2025, 3, 15, tzinfo=UTC)
    assert default_start_date(database, "invoiced", LATER) != first
    pin_start_date(database, "invoiced", first)
    pin_start_date(database, "invoiced", LATER)
    assert default_start_date(database, "invoiced", LATER) == first


def test_each_dataset_has_its_own_start_date(database: Database) -> None:
    pin_start_date(database, "invoiced", datetime(2020, 1, 1, tzinfo=UTC))
    assert default_start_date(database, "demo", NOW) == datetime(2025, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize("content", ["", "nonsense", "2999-01-01"])
def test_damaged_pin_falls_back_to_the_default(database: Database, content: str) -> None:
    database.beside("invoiced.start_date").write_text(content)
    assert default_start_date(database, "invoiced", NOW) == datetime(2025, 3, 15, tzinfo=UTC)


def test_missing_folder_is_created(tmp_path: Path) -> None:
    path = tmp_path / "none" / "x.duckdb"
    assert default_start_date(DuckDbDatabase(path), "invoiced", NOW) == datetime(
        2025, 3, 15, tzinfo=UTC
    )
    assert not path.parent.exists()
