"""Checks in runs that fail: each gets a result, so that none shows as failed without evaluation."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.conftest import sql_client_of
from invoiced_pipeline_tests.defs.conftest import KEYS, Outcome, Service, months_ago

TABLES = ("customers", "invoices")
SYNC = {"ops": {"replicate_invoiced": {"config": {"mode": "sync"}}}}
FULL = {"ops": {"replicate_invoiced": {"config": {"mode": "full"}}}}


def materialize(service: Service, config: dict[str, Any]) -> Outcome:
    """Runs what Materialize in the UI runs, which plans checks; the sync job plans none."""
    return service.materialize(KEYS[-1], tables=TABLES, config=config)


@pytest.fixture
def billed(account: Emulator) -> Emulator:
    stamp = int(months_ago(1).timestamp())
    times = {"created_at": stamp, "updated_at": stamp}
    account.store.put("customers", {"id": 1, "object": "customer", "name": "Ann", **times})
    invoice = {"id": 1, "object": "invoice", "customer": 1, "total": 5, "balance": 5, "items": []}
    account.store.put("invoices", {**invoice, **times})
    return account


def latest(service: Service, run: Outcome) -> dict[tuple[str, str], Any]:
    """Results of a run's checks, by table and check; every planned check must have one."""
    graph = service.definitions().resolve_asset_graph()
    keys = [key for key in graph.asset_check_keys if key.asset_key.path[-1] in TABLES]
    storage = service.instance.event_log_storage
    found = {}
    for key, record in storage.get_latest_asset_check_execution_by_key(keys).items():
        assert record.run_id == run.result.run_id
        assert record.status.value in {"SUCCEEDED", "FAILED"}, f"{key} was only planned"
        assert record.event is not None
        assert record.event.dagster_event is not None
        outcome = record.event.dagster_event.asset_check_evaluation_data
        found[key.asset_key.path[-1], key.name] = outcome
    assert len(found) == len(keys)
    return found


def test_after_an_outage_checks_describe_what_the_warehouse_holds(
    service: Service, billed: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert service.sync(*TABLES, mode="full").error is None
    billed.keys.clear()  # every request is refused
    failed = materialize(service, SYNC)
    assert not failed.success
    found = latest(service, failed)
    assert {key for key, outcome in found.items() if not outcome.passed} == set()
    held = found["customers", "primary_key"]
    assert "This run did not load the table; the warehouse holds it up to " in held.description
    assert held.description.endswith(": 1 row, 0 without id, 0 doubled")
    assert 0 <= held.metadata["age_hours"].value < 1
    assert held.metadata["held_until"].value == pytest.approx(
        datetime.now(UTC).timestamp(), abs=3600
    )
    # Counts of the API are repeated from the last run.
    compared = found["invoices", "row_count"].description
    assert compared.startswith("Not compared in this run; at ")
    assert compared.endswith("the API counts 1 record, the replica 1")
    # A wrong replica stays wrong.
    with service.database.session("invoiced") as session:
        session.run("insert into customers select * from customers")
    billed.keys[billed.api_key] = "active"
    assert not service.check("customers").success
    billed.keys.clear()
    failed = materialize(service, SYNC)
    outcome = latest(service, failed)["customers", "primary_key"]
    assert (outcome.passed, outcome.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert latest(service, failed)["invoices", "row_count"].description == compared

    # A failed load and a missing key end the run in other places than an outage.
    billed.keys[billed.api_key] = "active"

    def fail(*_: Any, **__: Any) -> None:
        message = "IO Error: No space left on device"
        raise OSError(message)

    with monkeypatch.context() as patch:
        patch.setattr(sql_client_of(service.database), "execute_many", fail)
        unloaded = materialize(service, FULL)
    assert "No space left" in unloaded.error
    assert latest(service, unloaded)["invoices", "primary_key"].passed
    monkeypatch.delenv("INVOICED_API_KEY")
    keyless = materialize(service, SYNC)
    assert "INVOICED_API_KEY" in keyless.error
    assert latest(service, keyless)["invoices", "primary_key"].passed


def test_a_table_that_was_never_loaded_is_a_warning(service: Service, billed: Emulator) -> None:
    billed.keys.clear()
    failed = materialize(service, SYNC)
    found = latest(service, failed)
    assert {outcome.passed for outcome in found.values()} == {False}
    assert {outcome.severity for outcome in found.values()} == {dg.AssetCheckSeverity.WARN}
    texts = {outcome.description for outcome in found.values()}
    assert texts == {"nothing is loaded yet: materialize the table"}


def test_a_failed_table_leaves_no_check_of_other_tables_unevaluated(
    service: Service, billed: Emulator
) -> None:
    assert service.sync(*TABLES).error is None
    bad = {"id": 2, "object": "invoice", "customer": 1, "total": "none"}
    stamp = int(months_ago(1).timestamp())
    billed.store.put("invoices", {**bad, "created_at": stamp, "updated_at": stamp + 1})
    failed = materialize(service, FULL)
    assert not failed.success
    assert {key for key, each in latest(service, failed).items() if not each.passed} == set()
