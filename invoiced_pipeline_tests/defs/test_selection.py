"""The selection of tables in definitions and in runs."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline_tests.defs.conftest import KEYS, Service

EXCLUDED = 'exclude = ["transactions", "payments", "plans", "subscriptions"]'


def put(account: Emulator, collection: str, record_id: int, **fields: Any) -> None:
    # The time of the call, not of the import: a sync reaches back only a few minutes.
    stamp = int(datetime.now(UTC).timestamp())
    record = {"id": record_id, "object": collection[:-1], "created_at": stamp, "updated_at": stamp}
    account.store.put(collection, record | fields)


def select(service: Service, toml: str) -> None:
    """Writes the settings of the only connection's tables."""
    text = f"[[connection]]\n[connection.tables]\n{toml}\n"
    (service.folder / "invoiced.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def filled(account: Emulator) -> Emulator:
    put(account, "customers", 1, name="Customer 1")
    put(account, "invoices", 10, customer=1, items=[], total=5, balance=5)
    put(account, "estimates", 20, customer=1, items=[])
    return account


def test_definitions_have_only_selected_tables(service: Service) -> None:
    select(service, EXCLUDED)
    defs = service.definitions()
    names = {key.path[-1] for key in defs.resolve_asset_graph().materializable_asset_keys}
    left = set(TABLE_NAMES) - {"transactions", "payments", "plans", "subscriptions"}
    assert names == left
    graph = defs.resolve_asset_graph()
    assert {key.asset_key.path[-1] for key in graph.asset_check_keys} == left
    # Payments are one side of the balances of invoices.
    assert "balance" not in {key.name for key in graph.asset_check_keys}
    job = defs.resolve_job_def("invoiced_sync")
    assert {key.path[-1] for key in job.asset_layer.executable_asset_keys} == left


def test_a_deselected_table_is_not_read_and_its_data_stays(
    service: Service, filled: Emulator
) -> None:
    assert service.sync().error is None
    select(service, 'exclude = ["estimates"]')
    put(filled, "estimates", 20, customer=1, items=[], notes="changed")
    put(filled, "estimates", 21, customer=1, items=[])
    filled.forget()
    result = service.sync()
    assert result.error is None
    assert "estimates" not in result.tables
    assert "/estimates" not in {path for _, path, _, _ in filled.requests}
    assert service.query("select id, notes from estimates") == [(20, None)]
    # When it is selected again, it continues from its last coverage.
    select(service, "")
    assert service.sync().error is None
    assert service.query("select id, notes from estimates order by id") == [
        (20, "changed"),
        (21, None),
    ]


def test_a_tick_requests_only_selected_tables(service: Service) -> None:
    """A table that was never loaded would widen the run's range to every partition."""
    select(service, EXCLUDED)
    assert service.sync().error is None
    schedule = service.definitions().resolve_schedule_def("invoiced_sync_schedule")
    with dg.build_schedule_context(service.instance, datetime.now(UTC)) as context:
        request = schedule(context)
    assert isinstance(request, dg.RunRequest)
    assert request.tags["dagster/asset_partition_range_start"] == KEYS[-1]


@pytest.mark.usefixtures("filled")
def test_the_sweep_compares_only_selected_tables(service: Service, account: Emulator) -> None:
    assert service.sync().error is None
    select(service, 'exclude = ["estimates"]')
    account.store.remove("estimates", 20)
    result = service.sweep()
    assert result.error is None
    assert "estimates" not in result.tables
    assert service.query("select _deleted_at from estimates") == [(None,)]


def test_a_full_table_ends_with_exactly_the_apis_rows(service: Service, filled: Emulator) -> None:
    """A table that is read whole shows changes and deletions without `updated_at` or events."""
    select(service, 'customers.method = "full"')
    assert service.sync().error is None
    stamp = filled.store.get("customers", 1)["updated_at"]
    filled.store.put("customers", filled.store.get("customers", 1) | {"payment_source": {"id": 5}})
    filled.store.put("invoices", filled.store.get("invoices", 10) | {"url": "https://rotated"})
    put(filled, "customers", 2)
    assert service.sync().error is None
    filled.store.remove("customers", 2)
    result = service.sync()
    assert result.error is None
    assert result.tables["customers"]["mode"] == "full"
    assert result.tables["invoices"]["mode"] == "sync"
    assert filled.store.get("customers", 1)["updated_at"] == stamp
    rows = service.query(
        "select id, payment_source is not null, _deleted_at is null from customers order by id"
    )
    assert rows == [(1, True, True), (2, False, False)]


def test_balances_are_not_checked_in_rows_that_lack_columns(
    service: Service, account: Emulator
) -> None:
    """Reselected child rows and columns are as old as their row until a full refresh."""
    payment = {"customer": 1, "amount": 9, "balance": 4, "voided": False}
    part = {"id": 1, "type": "invoice", "invoice": 10}
    put(account, "payments", 5, **payment, applied_to=[part | {"amount": 5}])
    select(service, "payments.children = false")
    assert service.sync().error is None
    assert "balance" not in checks(service, "payments")
    select(service, "")
    first = service.sync()
    assert first.error is None
    assert first.tables["payments"]["not_in_all_rows"] == "applied_to"
    assert "balance" not in checks(service, "payments")
    whole = service.sync("payments", mode="full")
    assert whole.error is None
    assert "not_in_all_rows" not in whole.tables["payments"]
    assert checks(service, "payments")["balance"] is True


def checks(service: Service, table: str) -> dict[str, bool]:
    """Results of a table's checks in the last run."""
    (run,) = service.instance.get_runs(limit=1)
    events = service.instance.all_logs(
        run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    )
    found = [event.get_dagster_event().asset_check_evaluation_data for event in events]
    return {each.check_name: each.passed for each in found if each.asset_key.path[-1] == table}
