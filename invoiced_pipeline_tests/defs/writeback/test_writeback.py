"""Write-backs as jobs: a dry run by default, and a failed run if something is wrong."""

import json
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from invoiced_emulator.protocol.clock import Clock
from invoiced_emulator.server import Emulator
from invoiced_pipeline.defs.launch.launch import WritebackResult, run_writeback
from invoiced_pipeline.defs.runs.liveness import PROCESS_TAG
from invoiced_pipeline.defs.writeback.config import WritebackConfig
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline_tests.defs.conftest import Service
from invoiced_pipeline_tests.front_door import KEY, SECRETS

CARD = "4242 4242 4242 4242"
TOML = """
[[writeback]]
name = "crm"
description = "Customers of the CRM"
operation = "create_customer"
source = "crm.csv"
key = "ext_id"
exclude = ["ext_id"]
headers = {{ X-Caller = "SecretOfTheCaller" }}
{more}

[[writeback]]
name = "bills"
operation = "create_invoice"
source = "bills.csv"
key = "bill"
exclude = ["bill"]
mapping = {{ customer = "@crm[ext_id].id" }}
active = true
after_sync = true

[writeback.schedule]
frequency = "6h"
anchor = "03:30"
"""
ITEMS = '[{""name"": ""x"", ""unit_cost"": 5}]'


@pytest.fixture
def account() -> Any:
    """An empty account: these tests are about what is written."""
    with Emulator(api_key=KEY, clock=Clock(1_700_000_000)) as emulator:
        yield emulator


@pytest.fixture
def writebacks(service: Service) -> Service:
    """Two write-backs, with another table replicated so that no push waits for a load."""
    configure(service, "active = true\nreject_share = 0.5")
    crm = ["ext_id,name,email", "C1,Acme,pay@acme.example", "C2,Globex,", f"C3,{CARD},"]
    (service.folder / "crm.csv").write_text("\n".join(crm), encoding="utf-8")
    bills = ["bill,ext_id,items", f'B1,C1,"{ITEMS}"', f'B3,C3,"{ITEMS}"']
    (service.folder / "bills.csv").write_text("\n".join(bills), encoding="utf-8")
    (service.folder / "data").mkdir()
    with open_database(service.settings().warehouse).session("invoiced") as session:
        session.run("create table plans (id text, _deleted_at timestamp with time zone)")
    return service


def configure(service: Service, more: str = "") -> None:
    (service.folder / "invoiced.toml").write_text(TOML.format(more=more), encoding="utf-8")


def run(service: Service, name: str, **config: Any) -> WritebackResult:
    settings = service.settings()
    connection = settings.find(settings.find_writeback(name).connection)
    return run_writeback(
        service.definitions(), connection, name, service.instance, WritebackConfig(**config)
    )


def test_every_write_back_is_a_job_that_says_what_it_does(writebacks: Service) -> None:
    defs = writebacks.definitions()
    job = defs.resolve_job_def("writeback_crm")
    assert job.description is not None
    assert job.description.startswith("Customers of the CRM\n\nCreate customer for every row of")
    schedule = defs.resolve_schedule_def("writeback_bills_schedule")
    assert schedule.cron_schedule == "30 3,9,15,21 * * *"
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    sensors = [sensor.name for sensor in defs.sensors or ()]
    assert sensors == ["invoiced_events_sensor", "writeback_bills_after_sync"]
    dg.Definitions.validate_loadable(defs)


def test_the_launchpad_offers_a_dry_run(writebacks: Service, account: Emulator) -> None:
    """A run whose configuration nobody touched plans, and sends nothing."""
    job = writebacks.definitions().resolve_job_def("writeback_crm")
    ended = job.execute_in_process(instance=writebacks.instance)
    assert ended.success
    assert account.requests == []
    shown = {
        name: value.value
        for event in ended.all_events
        if event.is_successful_output
        for name, value in event.step_output_data.metadata.items()
    }
    assert (shown["rows"], shown["rows_to_create"], shown["rows_invalid"]) == (3, 2, 1)
    rows = writebacks.query(
        "select record_key, action, method, path, body, reason_param from _writeback_plan "
        "order by position"
    )
    body = json.dumps({"email": "pay@acme.example", "name": "Acme"}, separators=(",", ":"))
    assert rows[0] == ("C1", "create", "POST", "/customers", body, None)
    assert [row[1] for row in rows] == ["create", "create", "invalid"]


def shown(service: Service, run_id: str) -> dict[str, Any]:
    """The metadata of a run's op, as Dagster's instance has it."""
    (log,) = service.instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_OUTPUT)
    return dict(log.get_dagster_event().step_output_data.metadata)


def records(table: dg.TableMetadataValue) -> list[dict[str, Any]]:
    return [dict(record.data) for record in table.records]


def test_plan_rows_are_tables_on_the_run_s_page(writebacks: Service, account: Emulator) -> None:
    plan = shown(writebacks, run(writebacks, "crm").run_id)
    assert records(plan["plan"])[0] == {
        "record": "C1",
        "action": "create",
        "request": "POST /customers",
        "body": '{"email":"pay@acme.example","name":"Acme"}',
    }
    (invalid,) = records(plan["not_sent"])
    assert (invalid["record"], invalid["action"], invalid["field"]) == ("C3", "invalid", "name")
    assert f"POST {account.url}/customers" in plan["sample_requests"].value
    assert "SecretOfTheCaller" not in repr(plan)
    assert "changes" not in plan, "a table without rows is left out"


def test_tables_of_a_plan_are_short(writebacks: Service) -> None:
    rows = [f"C{number},Company {number}," for number in range(60)]
    (writebacks.folder / "crm.csv").write_text("\n".join(["ext_id,name,email", *rows]), "utf-8")
    plan = shown(writebacks, run(writebacks, "crm").run_id)
    assert len(plan["plan"].records) == 50
    assert plan["rows_to_create"].value == 60
    assert "Rows to send that are not shown: 10. See _writeback_plan." in plan["notes"].value


def test_a_push_with_its_parents_leaves_nothing_to_do(
    writebacks: Service, account: Emulator
) -> None:
    pushed = run(writebacks, "bills", dry_run=False)
    # C3 is invalid and B3 held: within the share that is allowed.
    assert pushed.error is None
    assert pushed.metadata["report"]["states"] == {"succeeded": 1, "held": 1}
    assert pushed.metadata["pushed_before_crm"]["states"] == {"succeeded": 2, "invalid": 1}
    ((response, made),) = writebacks.query(
        "select i.response, c.invoiced_id from _writeback_responses i, "
        "_writeback_ledger c where i.writeback = 'bills' and c.record_key = 'C1'"
    )
    assert str(json.loads(response)["customer"]) == made
    posts = [each for each in account.requests if each[0] == "POST"]
    again = run(writebacks, "bills", dry_run=False)
    assert again.error is None
    assert [each for each in account.requests if each[0] == "POST"] == posts


def test_no_card_number_and_no_secret_is_left_anywhere(
    writebacks: Service, account: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    run(writebacks, "crm")
    pushed = run(writebacks, "crm", dry_run=False)
    hidden = (CARD, CARD.replace(" ", ""), "SecretOfTheCaller", *SECRETS)
    said = "".join([repr(pushed), caplog.text])
    sources = {writebacks.folder / name for name in ("crm.csv", "invoiced.toml")}
    for path in set(writebacks.folder.rglob("*")) - sources:
        if path.is_file():
            said += path.read_bytes().decode("latin-1")
    assert not [text for text in hidden if text in said]
    events = writebacks.instance.all_logs(pushed.run_id)
    assert not [text for text in hidden if text in repr(events)]


def test_one_record_edited_by_hand(writebacks: Service, account: Emulator) -> None:
    edits = {"email": "new@globex.example", "metadata.vip": "true", "credit_limit": "12.50"}
    sent = run(writebacks, "crm", dry_run=False, record="C2", set_fields=edits)
    assert sent.error is None
    assert len([each for each in account.requests if each[0] == "POST"]) == 1
    response = sent.metadata["response"]
    assert (response["name"], response["email"]) == ("Globex", "new@globex.example")
    assert response["credit_limit"] == 12.5
    assert response["metadata"]["vip"] is True
    looked = run(writebacks, "crm", record="C2", set_fields={"name": "Globex Ltd"})
    assert looked.metadata["rows_to_update"] == 1
    unknown = run(writebacks, "crm", record="C2", set_fields={"nmae": "x"})
    assert "--set nmae: not a field of create_customer" in (unknown.error or "")
    nobody = run(writebacks, "crm", record="C9")
    assert "its source has no row with the key 'C9'" in (nobody.error or "")


def test_what_is_not_active_is_never_sent(writebacks: Service, account: Emulator) -> None:
    configure(writebacks)
    for config in ({}, {"record": "C1"}, {"retry_rejected": True}, {"retry_keys": ["C1"]}):
        refused = run(writebacks, "crm", dry_run=False, **config)
        assert "is not active: nothing was sent" in (refused.error or "")
        assert "rows_to_create" in refused.metadata
    assert account.requests == []


def test_too_many_bad_rows_make_the_run_red(writebacks: Service, account: Emulator) -> None:
    configure(writebacks, "active = true")
    pushed = run(writebacks, "crm", dry_run=False)
    assert "1 of 3 rows was refused, more than reject_share (0.0%)" in (pushed.error or "")
    assert pushed.metadata["report"]["states"] == {"succeeded": 2, "invalid": 1}


def test_limits_stop_a_push_as_a_whole(writebacks: Service, account: Emulator) -> None:
    configure(writebacks, "active = true\nmax_records = 1")
    pushed = run(writebacks, "crm", dry_run=False)
    assert "would send 2, but max_records = 1: nothing was sent" in (pushed.error or "")
    assert [each for each in account.requests if each[0] == "POST"] == []


def test_two_pushes_at_once_are_refused(writebacks: Service) -> None:
    database = open_database(writebacks.settings().warehouse)
    with database.writer_lock("invoiced", "another"):
        refused = run(writebacks, "crm", dry_run=False)
    assert "another run writes this warehouse: run another" in (refused.error or "")


@pytest.mark.parametrize("active", [True, False])
def test_a_tick_asks_for_a_push(writebacks: Service, *, active: bool) -> None:
    if not active:
        text = TOML.format(more="").replace("active = true\n", "")
        (writebacks.folder / "invoiced.toml").write_text(text, encoding="utf-8")
    schedule = writebacks.definitions().resolve_schedule_def("writeback_bills_schedule")
    at = datetime(2026, 1, 1, 3, 30, tzinfo=UTC)
    with dg.build_schedule_context(writebacks.instance, at) as context:
        tick = schedule.evaluate_tick(context)
    if not active:
        assert tick.skip_message == "bills is not active: set active = true to have it sent"
        return
    (request,) = tick.run_requests or ()
    config = request.run_config["ops"]["send_bills"]["config"]
    assert (config["dry_run"], config["wait"]) == (False, True)


def test_a_dead_run_of_a_write_back_is_marked(writebacks: Service, tmp_path: Path) -> None:
    job = writebacks.definitions().resolve_job_def("writeback_crm")
    nobody = f"4194305@{socket.gethostname()}"  # above any pid
    tags = {**job.tags, PROCESS_TAG: nobody}
    dead = writebacks.instance.create_run_for_job(job, tags=tags)
    run(writebacks, "crm")
    found = writebacks.instance.get_run_by_id(dead.run_id)
    assert found is not None
    assert found.status is dg.DagsterRunStatus.FAILURE
