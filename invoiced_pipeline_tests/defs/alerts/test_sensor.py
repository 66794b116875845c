"""Alerts about syncs and sweeps: once for each incident, grouped by connection."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.server import Emulator
from invoiced_pipeline.alerts.state import AlertState
from invoiced_pipeline.defs.names import ALERTS_SENSOR
from invoiced_pipeline.defs.runs.dead_runs import mark_failed
from invoiced_pipeline_tests.conftest import customer, invoice
from invoiced_pipeline_tests.defs.alerts.conftest import Alerts, firsts, set_addresses
from invoiced_pipeline_tests.defs.conftest import START, Service
from invoiced_pipeline_tests.front_door import KEY
from invoiced_pipeline_tests.inboxes import webhook

CHANGED = int((START + timedelta(days=1)).timestamp())
TITLE = "invoiced_pipeline: Invoiced"


def die(service: Service, *tables: str, dataset: str = "invoiced") -> str:
    """Records a run over some tables whose process died; gives its id."""
    job = service.definitions().resolve_job_def(f"{dataset}_sync")
    run = service.instance.create_run_for_job(
        job,
        tags={"dagster/partition": f"{START:%Y-%m}-01"},
        asset_selection=frozenset(dg.AssetKey([dataset, table]) for table in tables),
    )
    mark_failed(service.instance, run.run_id)
    return run.run_id


def refuse(account: Emulator, *paths: str) -> None:
    """Lets the API refuse some lists."""

    def check(path: str, _: Any) -> None:
        if path in paths:
            raise refused("Invalid filter parameter: x")

    account.on_request = check if paths else None


def test_a_failure_is_told_once_and_so_is_its_end(
    alerts: Alerts, service: Service, account: Emulator
) -> None:
    assert alerts.tick() == []
    refuse(account, "/plans", "/estimates")
    assert service.sync("customers", "plans", "estimates").error
    (run,) = service.instance.get_runs()
    ((title, body),) = alerts.tick()
    assert title == TITLE
    assert body.splitlines() == [
        "Not loaded: estimates, plans.",
        "Why: Invoiced refused a request.",
        "What to do: Open the run: its log has Invoiced's answer.",
        f"Run: {run.run_id}",
    ]
    for _ in range(3):
        assert alerts.tick() == []
    # Another failure of the same tables is the same incident; of another one, it is news.
    die(service, "customers", "plans")
    (body,) = alerts.bodies()
    assert firsts(body) == ["Not loaded: customers."]
    refuse(account)
    assert service.sync("customers", "plans").error is None
    (body,) = alerts.bodies()
    assert firsts(body) == [
        "Recovered: customers (not loaded), plans (not loaded).",
        "Still open: estimates (not loaded).",
    ]
    assert alerts.tick() == []


def test_a_run_that_fails_as_a_whole(alerts: Alerts, service: Service, account: Emulator) -> None:
    account.keys[account.api_key] = "canceled"
    assert service.sync("customers", "plans").error
    (body,) = alerts.bodies()
    assert firsts(body) == ["Not loaded: customers, plans."]
    assert "Why: The Invoiced account is not active (402)." in body


def test_a_run_whose_process_died_and_one_that_was_canceled(
    alerts: Alerts, service: Service
) -> None:
    die(service, "plans")
    (body,) = alerts.bodies()
    assert firsts(body) == ["Not loaded: plans."]
    assert "its process died, or could not be started" in body
    job = service.definitions().resolve_job_def("invoiced_sync")
    canceled = service.instance.create_run_for_job(
        job,
        tags={"dagster/partition": f"{START:%Y-%m}-01"},
        asset_selection=frozenset({service.key("customers")}),
    )
    service.instance.report_run_canceled(canceled)
    assert alerts.tick() == []
    assert service.sync("plans").error is None
    assert alerts.bodies() == ["Recovered: plans (not loaded)."]


def test_the_sensor_is_on_and_keeps_its_state_in_the_cursor(
    alerts: Alerts, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(service, "plans")
    sensor = service.definitions().get_repository_def().get_sensor_def(ALERTS_SENSOR)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == 30
    cursor, said = None, []
    for _ in range(3):
        with dg.build_sensor_context(service.instance, cursor=cursor) as context:
            done = sensor.evaluate_tick(context)
        assert not done.run_requests
        cursor = done.cursor
        said.append(done.skip_message)
    assert said == ["1 message sent", "0 messages sent", "0 messages sent"]
    assert len(alerts.hook.messages) == 1
    monkeypatch.delenv("INVOICED_ALERT_URLS")
    del service.environment["INVOICED_ALERT_URLS"]
    assert not service.definitions().get_repository_def().has_sensor_def(ALERTS_SENSOR)


def test_rejects_above_the_limit(alerts: Alerts, service: Service, account: Emulator) -> None:
    account.store.put_many("invoices", [invoice(1, CHANGED), invoice(2, CHANGED, total="none")])
    assert service.sync("invoices").error
    (body,) = alerts.bodies()
    assert firsts(body) == ["Too many rejects: invoices (1 record)."]
    assert "_rejected" in body
    account.store.put("invoices", invoice(2, CHANGED))
    assert service.sync("invoices").error is None
    assert alerts.bodies() == ["Recovered: invoices (too many rejects)."]


def test_a_check_that_finds_an_error(alerts: Alerts, service: Service, account: Emulator) -> None:
    """It is found without a load, too, and then it ends with the next evaluation."""
    account.store.put("customers", customer(1, CHANGED))
    assert service.sync("customers").error is None
    with service.database.session("invoiced") as session:
        session.run("insert into customers select * from customers")
    assert not service.check("customers").success
    (body,) = alerts.bodies()
    assert firsts(body) == ["A check found an error: customers (primary_key)."]
    assert alerts.tick() == []
    assert service.sync("customers", mode="full").error is None
    assert alerts.bodies() == ["Recovered: customers (a check)."]


def test_a_table_that_is_stale(alerts: Alerts, service: Service) -> None:
    assert service.sync("customers", "plans").error is None
    now = datetime.now(UTC)
    assert alerts.tick(now + timedelta(hours=47)) == []
    (body,) = alerts.bodies(now + timedelta(hours=49))
    assert firsts(body) == ["Stale: customers, plans."]
    assert alerts.tick(now + timedelta(hours=50)) == []
    text = "[[connection]]\nfail_after_hours = 72\n"
    (service.folder / "invoiced.toml").write_text(text, encoding="utf-8")
    found = alerts.bodies(now + timedelta(hours=51))
    assert found == ["Recovered: customers (stale), plans (stale)."]


def test_a_sweep_that_refuses(alerts: Alerts, service: Service, account: Emulator) -> None:
    account.store.put_many("customers", [customer(number, CHANGED) for number in range(201)])
    assert service.sync("customers", "plans").error is None
    for number in range(150):
        account.store.remove("customers", number)
    assert service.sweep().error
    (body,) = alerts.bodies()
    assert firsts(body) == ["Not swept: customers."]
    # A sweep of another table says nothing about it.
    assert service.sweep("plans").error is None
    assert alerts.tick() == []
    assert service.sweep("customers", allow_share=0.8).error is None
    assert alerts.bodies() == ["Recovered: customers (not swept)."]


def test_deletions_that_cannot_be_read(alerts: Alerts, service: Service, account: Emulator) -> None:
    refuse(account, "/events")
    assert service.sync("plans").error
    (body,) = alerts.bodies()
    assert firsts(body) == ["Not complete: deletions."]
    refuse(account)
    assert service.sync("plans").error is None
    assert alerts.bodies() == ["Recovered: deletions (not complete)."]


def test_connections_have_messages_of_their_own(
    alerts: Alerts, service: Service, account: Emulator
) -> None:
    (service.folder / "invoiced.toml").write_text(
        "[[connection]]\n[[connection]]\n"
        f'name = "Beta Two"\napi_url = "{account.url}"\nstart_date = {START:%Y-%m-%d}\n'
        '[alerts]\nui_url = "https://dagster.example.com/"\n',
        encoding="utf-8",
    )
    runs = {TITLE: die(service, "plans")}
    runs["invoiced_pipeline: Beta Two"] = die(service, "plans", dataset="beta_two")
    found = dict(alerts.tick())
    assert found.keys() == runs.keys()
    for title, body in found.items():
        assert body.endswith(f"\nRun: https://dagster.example.com/runs/{runs[title]}")
    # A connection that is no longer there is forgotten.
    (service.folder / "invoiced.toml").unlink()
    assert alerts.tick() == []
    assert list(AlertState.decode(alerts.cursor).incidents) == ["invoiced"]


def test_hundreds_of_connections_take_turns(
    alerts: Alerts, service: Service, account: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure is reported at once; what time alone changes waits for its turn."""
    monkeypatch.setattr("invoiced_pipeline.defs.alerts.sensor._CONNECTIONS_PER_TICK", 2)
    lines = ["[[connection]]", f'api_url = "{account.url}"', f"start_date = {START:%Y-%m-%d}"]
    names = [f"c{number}" for number in range(5)]
    text = "\n".join("\n".join([*lines, f'name = "{name}"']) for name in names)
    (service.folder / "invoiced.toml").write_text(text, encoding="utf-8")
    del service.environment["INVOICED_API_URL"]
    monkeypatch.delenv("INVOICED_API_URL")
    assert service.sync("plans", connection="c4").error is None
    later = datetime.now(UTC) + timedelta(hours=49)
    told = [[title for title, _ in alerts.tick(later)] for _ in range(3)]
    assert told == [[], [], ["invoiced_pipeline: c4"]]
    die(service, "plans", dataset="c3")
    assert [title for title, _ in alerts.tick()] == ["invoiced_pipeline: c3"]


def test_an_address_that_is_down_gets_everything_later(
    alerts: Alerts, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others get each message once, and the log names no address."""
    with webhook("second") as second:
        set_addresses(service, monkeypatch, alerts.hook.address, second.address)
        second.is_up = False
        die(service, "plans")
        assert len(alerts.tick()) == 1
        assert alerts.said == "1 message sent, 1 wait for the next tick"
        assert alerts.tick() == []
        assert service.sync("plans").error is None
        die(service, "estimates")
        assert len(alerts.tick()) == 1
        assert (second.messages, second.refused) == ([], 3)
        second.is_up = True
        assert alerts.tick() == []
        (message,) = second.take()
        assert firsts(message["message"]) == [
            "Not loaded: estimates.",
            "These happened while this address could not be reached, and are over:",
            "Not loaded: plans.",
        ]
        assert alerts.tick() == []
        assert second.take() == []


def test_an_interrupted_run_is_no_incident(
    alerts: Alerts, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("invoiced_pipeline.defs.sync.run.SyncRun.execute", interrupt)
    service.sync("plans")
    (newest, *_) = service.instance.get_runs()
    assert newest.status is not dg.DagsterRunStatus.SUCCESS
    assert alerts.tick() == []
    assert KEY not in (alerts.cursor or "")
