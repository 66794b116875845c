"""Runs of definitions that were loaded before the file of version 0.1.0 appeared."""

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.defs.assembly import build_definitions
from invoiced_pipeline.defs.launch.launch import run_sweep, run_sync, run_writeback
from invoiced_pipeline.defs.writeback.config import WritebackConfig
from invoiced_pipeline_tests.defs.conftest import Service

PAYMENTS = """
[[writeback]]
name = "payments"
operation = "record_payment"
source = "select 'P1' as reference, 5 as amount"
key = "reference"
active = true
"""


@pytest.mark.duckdb("about the file")
def test_every_run_refuses(
    service: Service, account: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    (service.folder / "invoiced.toml").write_text(PAYMENTS)
    settings = service.settings()
    definitions, instance = build_definitions(settings), service.instance
    # As in a code server, runs are launched with the earlier settings.
    monkeypatch.setattr("invoiced_pipeline.defs.launch.job_run.load_settings", lambda: settings)
    old = service.folder / "data" / "invoiced.duckdb"
    old.parent.mkdir()
    old.touch()
    requests: list[object] = []
    account.on_request = lambda *request: requests.append(request)

    results = [
        run_sync(definitions, settings.first, instance, tables=["plans"], mode="sync"),
        run_sweep(definitions, settings.first, instance, tables=["plans"], allow_share=None),
        run_writeback(
            definitions, settings.first, "payments", instance, WritebackConfig(dry_run=False)
        ),
        run_writeback(definitions, settings.first, "payments", instance, WritebackConfig()),
    ]
    for result in results:
        assert f"kept it: {old}. This version opens" in str(result.error)
    assert list(old.parent.iterdir()) == [old]
    assert not requests
