"""The load within bounds of memory."""

import pytest

from invoiced_pipeline.emulator.server import Emulator
from invoiced_pipeline.warehouse.duckdb import loading
from invoiced_pipeline_tests.conftest import Replica, customer


def test_a_load_that_needs_more_memory_takes_it(
    emulator: Emulator,
    replicate: Replica,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    emulator.store.put_many("customers", map(customer, range(1, 1001)))
    monkeypatch.setitem(loading.SETTINGS, "memory_limit", "4MB")
    replicate.ok("customers")
    assert replicate.ids("customers") == list(range(1, 1001))
    assert "4MB of memory do not do for this load" in caplog.text
