"""The events sensor: real evaluations with a real instance, against the emulator."""

import json
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pytest
import urllib3

from invoiced_emulator.server import Emulator
from invoiced_pipeline.defs.code_location import job_origin
from invoiced_pipeline_tests.defs.conftest import KEYS, RANGE, Service
from invoiced_pipeline_tests.front_door import KEY
from invoiced_pipeline_tests.lock_holder import holding

NAME = "invoiced_events_sensor"
_NOTHING_NEW = "No table has changed since "


@dataclass
class Sensor:
    """The sensor, with the cursor that Dagster would keep for it."""

    service: Service
    account: Emulator
    cursor: str | None = None
    requests: int = 0
    """How many requests the last tick made."""
    definition: dg.SensorDefinition = field(init=False)

    def __post_init__(self) -> None:
        self.definition = self.service.definitions().resolve_sensor_def(NAME)

    def tick(self) -> Any:
        """The result of a tick: the run that it requests, or why it requests none."""
        before = len(self.account.requests)
        with dg.build_sensor_context(self.service.instance, cursor=self.cursor) as context:
            data = self.definition.evaluate_tick(context)
        self.requests = len(self.account.requests) - before
        self.cursor = data.cursor
        if data.skip_message is not None:
            assert not data.run_requests
            return data.skip_message
        (request,) = data.run_requests or []
        return request

    def tables(self) -> set[str]:
        """The tables of the run that a tick requests."""
        request = self.tick()
        assert isinstance(request, dg.RunRequest), request
        return {key.path[-1] for key in request.asset_selection or ()}

    def write(self, kind: str, event: int, *, ago: int = 0) -> None:
        """Writes an event of any type, so many seconds ago."""
        timestamp = self.account.clock.now() - ago
        record = {"id": event, "type": kind, "timestamp": timestamp, "data": {"object": {}}}
        self.account.store.put("events", record)


@pytest.fixture
def sensor(service: Service, account: Emulator) -> Sensor:
    """The sensor after its first tick."""
    sensor = Sensor(service, account)
    assert sensor.tick() == "The first tick: events start runs from now on"
    assert sensor.requests == 1
    return sensor


def create_customer(account: Emulator, name: str = "Acme") -> None:
    url, headers = f"{account.url}/customers", urllib3.make_headers(basic_auth=f"{KEY}:")
    assert urllib3.request("POST", url, json={"name": name}, headers=headers).status == 201


def test_it_is_off_by_default_and_asks_every_half_minute(service: Service) -> None:
    found = service.definitions().resolve_sensor_def(NAME)
    assert found.default_status is dg.DefaultSensorStatus.STOPPED
    assert (found.job_name, found.minimum_interval_seconds) == ("invoiced_sync", 30)
    (service.folder / "invoiced.toml").write_text(
        '[[connection]]\nname = "Acme"\nevents_interval_seconds = 60\nkey_prefix = ["finance"]'
    )
    found = service.definitions().resolve_sensor_def("finance_acme_events_sensor")
    assert (found.job_name, found.minimum_interval_seconds) == ("finance_acme_sync", 60)


def test_tables_without_events_are_left_to_the_schedule(service: Service) -> None:
    tables = '[[connection]]\n[connection.tables]\ninclude = ["plans"]'
    (service.folder / "invoiced.toml").write_text(tables)
    assert not service.definitions().sensors


def test_a_change_starts_one_run_of_its_tables(sensor: Sensor, account: Emulator) -> None:
    assert sensor.tick().startswith(_NOTHING_NEW)
    assert sensor.requests == 1
    create_customer(account)
    (event,) = account.store.all("events")
    request = sensor.tick()
    assert sensor.requests == 1
    assert request.run_key == str(event["id"])
    assert request.asset_selection == [sensor.service.key("customers")]
    assert (request.tags[RANGE[0]], request.tags[RANGE[1]]) == (KEYS[0], KEYS[-1])
    config = request.run_config["ops"]["replicate_invoiced"]["config"]
    assert config == {"mode": "sync", "when_busy": "wait"}
    assert sensor.tick().startswith(_NOTHING_NEW)
    assert sensor.requests == 1
    job = sensor.service.definitions().resolve_job_def("invoiced_sync")
    result = job.execute_in_process(
        instance=sensor.service.instance,
        asset_selection=list(request.asset_selection),
        run_config=request.run_config,
        tags=dict(request.tags),
    )
    assert result.success
    assert sensor.service.query("select name from customers") == [("Acme",)]
    assert sensor.tick().startswith(_NOTHING_NEW)


def test_earlier_events_start_nothing(service: Service, account: Emulator) -> None:
    create_customer(account)
    sensor = Sensor(service, account)
    assert sensor.tick().startswith("The first tick")
    assert sensor.tick().startswith(_NOTHING_NEW)
    create_customer(account, "Beta")
    assert sensor.tables() == {"customers"}


def test_one_run_for_all_new_events(sensor: Sensor) -> None:
    for event, kind in enumerate(["invoice.paid", "invoice.created", "payment.created"], start=1):
        sensor.write(kind, event)
    wanted = {"invoices", "payments", "transactions", "credit_balance_adjustments"}
    assert sensor.tables() == wanted
    assert sensor.tick().startswith(_NOTHING_NEW)


@pytest.mark.parametrize(
    "kind",
    ["email.sent", "invoice.viewed", "estimate.viewed", "invoice.commented", "vendor.created"],
)
def test_events_that_change_no_table_start_nothing(sensor: Sensor, kind: str) -> None:
    sensor.write(kind, 1)
    assert sensor.tick().startswith(_NOTHING_NEW)
    assert sensor.requests == 1


def test_views_and_e_mails_do_not_hide_a_change(sensor: Sensor) -> None:
    sensor.write("invoice.updated", 1)
    for event in range(2, 202):
        sensor.write("email.sent" if event % 2 else "invoice.viewed", event)
    assert sensor.tables() == {"invoices"}


def test_a_full_page_starts_a_run_of_all_tables_with_events(sensor: Sensor) -> None:
    for event in range(1, 151):
        sensor.write("customer.updated", event)
    request = sensor.tick()
    assert sensor.requests == 1
    assert request.run_key == "150"
    names = {key.path[-1] for key in request.asset_selection}
    assert {"customers", "invoices", "payments"} < names
    assert "plans" not in names
    assert sensor.tick().startswith(_NOTHING_NEW)
    # The page is still full, of known events.
    sensor.write("invoice.updated", 151)
    assert sensor.tables() == {"invoices"}


def test_an_event_that_becomes_visible_late_is_found(sensor: Sensor) -> None:
    sensor.write("invoice.updated", 10)
    assert sensor.tables() == {"invoices"}
    sensor.write("customer.updated", 9, ago=200)
    request = sensor.tick()
    assert (request.run_key, len(request.asset_selection)) == ("9", 1)
    assert sensor.tick().startswith(_NOTHING_NEW)


def test_an_event_from_the_future_hides_no_other(sensor: Sensor) -> None:
    sensor.write("invoice.updated", 1, ago=-1_000_000)
    assert sensor.tables() == {"invoices"}
    sensor.write("customer.updated", 2)
    assert sensor.tables() == {"customers"}


def test_a_merge_concerns_all_tables_of_a_customer(sensor: Sensor) -> None:
    sensor.write("customer.merged", 1)
    found = sensor.tables()
    assert {"customers", "invoices", "subscriptions", "payments"} < found
    assert "plans" not in found


def test_while_the_lock_is_held_the_cursor_stays(sensor: Sensor) -> None:
    with holding(sensor.service.database, "of-another-instance", "invoiced"):
        sensor.write("customer.updated", 1)
        cursor = sensor.cursor
        for _ in range(2):
            reason = sensor.tick()
            assert reason.startswith("1 new event, but run of-another-instance (pid ")
            assert reason.endswith(". A run starts after that")
            assert (sensor.cursor, sensor.requests) == (cursor, 1)
        sensor.write("invoice.updated", 2)
        assert sensor.tick().startswith("2 new events, but run of-another-instance")
    # Even if the run that held the lock has read the change.
    request = sensor.tick()
    assert request.run_key == "2"
    assert len(request.asset_selection) == 2
    assert sensor.tick().startswith(_NOTHING_NEW)


def test_while_a_run_is_in_the_queue_the_cursor_stays(sensor: Sensor) -> None:
    instance = sensor.service.instance
    origin = job_origin("invoiced_sync", sensor.service.settings())
    status = dg.DagsterRunStatus.QUEUED
    run = dg.DagsterRun(job_name="invoiced_sync", status=status, remote_job_origin=origin)
    instance.add_run(run)
    sensor.write("customer.updated", 1)
    assert sensor.tick().startswith(f"1 new event, but run {run.run_id} has not started yet")
    instance.report_run_canceled(run)
    assert sensor.tables() == {"customers"}


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ("rate429", "Too many concurrent requests"),
        ("rate5xx", "answered 500"),
        ("drop_connection", "the connection failed"),
        ("truncate_body", "GET /events"),
        ("wrong key", "answered 401"),
        ("no permission", "You do not have permission to do that"),
        ("no key", "No API key for connection 'Invoiced'"),
    ],
)
def test_trouble_loses_no_event(
    sensor: Sensor, account: Emulator, monkeypatch: pytest.MonkeyPatch, trouble: Any, sentence: str
) -> None:
    sensor.write("customer.updated", 1)
    cursor = sensor.cursor
    with monkeypatch.context() as patch:
        if trouble == "wrong key":
            account.keys.clear()
        elif trouble == "no permission":
            account.account.forbidden = {"events"}
        elif trouble == "no key":
            patch.delenv("INVOICED_API_KEY")
        else:
            account.faults.next(trouble)
        reason = sensor.tick()
    assert sentence in reason
    assert reason.endswith(". The next tick looks for the same events")
    assert KEY not in reason
    assert sensor.cursor == cursor
    assert sensor.requests <= 1
    account.keys[KEY] = "active"
    account.account.forbidden = set()
    assert sensor.tables() == {"customers"}


def test_a_cursor_that_somebody_edited_is_set_again(sensor: Sensor) -> None:
    sensor.cursor = "yesterday"
    assert sensor.tick().startswith("The first tick")
    assert json.loads(sensor.cursor or "").keys() == {"until", "seen"}
