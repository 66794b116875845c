"""The models are built once for every sync that changed rows, and for no other."""

import dagster as dg
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.commands.sync import build_models_after
from invoiced_pipeline.defs.launch.launch import run_models_after
from invoiced_pipeline.defs.models.pictures import PICTURE
from invoiced_pipeline.defs.models.trigger import reason_to_skip
from invoiced_pipeline.defs.names import model_key
from invoiced_pipeline.models.project import END_MODELS
from invoiced_pipeline_tests.conftest import customer
from invoiced_pipeline_tests.defs.conftest import Service
from invoiced_pipeline_tests.front_door import front_door, invoiced_account

ENABLED = "[models]\nenabled = true\n"


def _fill(account: Emulator) -> None:
    now = account.clock.now()
    account.store.put("customers", customer(1, now - 900, currency="usd"))
    shared = {"object": "invoice", "customer": 1, "currency": "usd", "date": now - 86_400}
    shared |= {"draft": False, "closed": False, "status": "sent", "updated_at": now - 900}
    account.store.put("invoices", shared | {"id": 1, "total": 12.5, "balance": 12.5})
    # The rest of it was paid before the start date.
    account.store.put("invoices", shared | {"id": 2, "total": 20, "balance": 5})


def test_models_on_a_server_after_a_sync(account: Emulator, server: Service) -> None:
    (server.folder / "invoiced.toml").write_text(ENABLED, encoding="utf-8")
    _fill(account)
    sync = server.sync()
    assert sync.error is None
    first = server.settings().first
    assert reason_to_skip(server.instance, first, sync.run_id) is None
    built = run_models_after(server.definitions(), first, server.instance, sync.run_id)
    assert built is not None
    assert built.error is None
    assert built.models == sorted(END_MODELS)
    assert built.failed_checks == ["balances_are_explained"]
    open_items = server.query(
        "select invoice_id, open_amount from invoiced__ar_open_items where is_today order by 1",
        dataset="invoiced_models",
    )
    assert [(key, float(amount)) for key, amount in open_items] == [(1, 12.5), (2, 5.0)]

    key = model_key(first, "invoiced__ar_aging")
    event = server.instance.get_latest_materialization_event(key)
    assert event is not None
    assert event.asset_materialization is not None
    picture = str(event.asset_materialization.metadata[PICTURE].value)
    assert picture.startswith("![aging](data:image/png;base64,")

    # The sensor sees the same sync later, and what was built from it.
    reason = reason_to_skip(server.instance, first, sync.run_id)
    assert reason == f"run {built.run_id} began after run {sync.run_id} had ended"
    idle = server.sync()
    reason = reason_to_skip(server.instance, first, idle.run_id)
    assert reason == f"run {idle.run_id} changed no rows"
    assert _evaluated(server, idle.run_id) == reason
    assert server.database.current_holder("invoiced") is None

    # What a failed sync loaded is built after the next one, which finds nothing.
    account.store.put("customers", customer(2, account.clock.now(), currency="usd"))
    account.faults.next("rate5xx", 50, method="GET", path="/invoices")
    failed = server.sync()
    assert failed.error is not None
    account.faults.clear()
    assert reason_to_skip(server.instance, first, server.sync().run_id) is None


def _evaluated(service: Service, run_id: str) -> str | None:
    """What the sensor says of a run."""
    run = service.instance.get_run_by_id(run_id)
    assert run is not None
    entries = service.instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_SUCCESS)
    repository = service.definitions().get_repository_def()
    sensor = repository.get_sensor_def("invoiced_models_after_sync")
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor.name,
        dagster_event=entries[0].get_dagster_event(),
        dagster_instance=service.instance,
        dagster_run=run,
        repository_def=repository,
    )
    result = sensor(context)
    return result.skip_message if isinstance(result, dg.SkipReason) else None


def test_nothing_is_built_before_the_first_sync(service: Service) -> None:
    (service.folder / "invoiced.toml").write_text(ENABLED, encoding="utf-8")
    job = service.definitions().resolve_job_def("invoiced_models")
    result = job.execute_in_process(instance=service.instance, raise_on_error=False)
    failures = [event for event in result.all_events if event.is_step_failure]
    assert "holds no tables of invoiced yet: run a sync first" in str(failures)
    assert not service.database.exists()


def test_models_that_are_not_enabled_are_not_built(service: Service) -> None:
    assert build_models_after(service.settings(), service.settings().first, "a run") is None


@pytest.mark.slow
@pytest.mark.duckdb("the server's variant is test_models_on_a_server_after_a_sync")
def test_the_command_builds_models_once(tmp_path) -> None:
    with invoiced_account(customers=20) as account, front_door(tmp_path, account) as door:
        (tmp_path / "invoiced.toml").write_text(ENABLED, encoding="utf-8")
        first = door.sync(INVOICED_START_DATE="2020-01-01")
        assert "7 models built." in first.said
        second = door.sync(INVOICED_START_DATE="2020-01-01")
        assert "Nothing has changed since the last sync." in second.said
        assert "models built" not in second.said
        (row,) = door.query("select count(*) from invoiced_models.invoiced__ar_ledger")
        assert row[0] > 100
