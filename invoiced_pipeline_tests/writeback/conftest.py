"""What tests of pushes share."""

from pathlib import Path

import pytest

from invoiced_pipeline.emulator.server import Emulator
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline_tests.writeback.pushing import Pushing


@pytest.fixture
def pushing(emulator: Emulator, tmp_path: Path) -> Pushing:
    """Pushes to the emulator, with a ledger in a DuckDB file."""
    return Pushing(emulator, DuckDbDatabase(tmp_path / "invoiced.duckdb")).without_replica()


@pytest.fixture
def replicating(emulator: Emulator, tmp_path: Path) -> Pushing:
    """The same, with a replica that shows at once what was sent."""
    return Pushing(emulator, DuckDbDatabase(tmp_path / "invoiced.duckdb"))
