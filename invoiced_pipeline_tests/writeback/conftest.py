"""Fixtures of the tests of pushes."""

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline_tests.writeback.push_harness import PushHarness


@pytest.fixture
def pushing(emulator: Emulator, database: Database) -> PushHarness:
    """Pushes to the emulator, with a ledger in the warehouse."""
    return PushHarness(emulator, database).without_replica()


@pytest.fixture
def replicating(emulator: Emulator, database: Database) -> PushHarness:
    """The same, with a replica that is updated by every push."""
    return PushHarness(emulator, database)
