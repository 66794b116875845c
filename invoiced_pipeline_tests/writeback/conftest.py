"""Fixtures of the tests of pushes."""

from collections.abc import Iterator

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline_tests.warehouses import OPEN_FILES
from invoiced_pipeline_tests.writeback.push_harness import PushHarness


@pytest.fixture
def pushing(replicating: PushHarness) -> PushHarness:
    """Pushes to the emulator, with a ledger in the warehouse."""
    return replicating.without_replica()


@pytest.fixture
def replicating(emulator: Emulator, database: Database) -> Iterator[PushHarness]:
    """The same, with a replica that is updated by every push."""
    yield PushHarness(emulator, database, keeps_open=True)
    OPEN_FILES.close()
