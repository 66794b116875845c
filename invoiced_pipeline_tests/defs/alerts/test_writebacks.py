"""Alerts about write-backs: the rows of the last push that need a person, by state."""

from typing import Any

import pytest

from invoiced_emulator.protocol.clock import Clock
from invoiced_emulator.server import Emulator
from invoiced_pipeline.defs.launch.launch import WritebackResult, run_writeback
from invoiced_pipeline.defs.writeback.config import WritebackConfig
from invoiced_pipeline_tests.defs.alerts.conftest import Alerts, firsts
from invoiced_pipeline_tests.defs.conftest import Service
from invoiced_pipeline_tests.front_door import KEY

TOML = """
[[writeback]]
name = "crm"
operation = "create_customer"
source = "crm.csv"
key = "ext_id"
exclude = ["ext_id"]
active = true
reject_share = 0.9

[[writeback]]
name = "tasks"
operation = "create_task"
source = "tasks.csv"
key = "task"
exclude = ["task", "ext_id"]
mapping = { customer_id = "@crm[ext_id].id" }
active = true
reject_share = 0.9
"""
CRM = ["ext_id,name,number", "C1,Acme,A1", "C2,,A2"]
TASKS = ["task,ext_id,name,action,due_date", "T1,C1,Call,phone,1800000000",
         "T2,C2,Call,phone,1800000000"]  # fmt: skip


@pytest.fixture
def account() -> Any:
    """An empty account: these tests are about what is written."""
    with Emulator(api_key=KEY, clock=Clock(1_700_000_000)) as emulator:
        yield emulator


def write(service: Service, name: str, *lines: str) -> None:
    (service.folder / name).write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def written(alerts: Alerts, service: Service) -> Alerts:
    write(service, "invoiced.toml", TOML)
    write(service, "crm.csv", *CRM)
    write(service, "tasks.csv", *TASKS)
    (service.folder / "data").mkdir()
    with service.database.session("invoiced") as session:
        session.run("create table plans (id text, _deleted_at timestamp with time zone)")
    return alerts


def run(service: Service, name: str, **config: Any) -> WritebackResult:
    options = {"dry_run": False} | config
    defs, first = service.definitions(), service.settings().first
    return run_writeback(defs, first, name, service.instance, WritebackConfig(**options))


def test_rows_that_need_a_person(written: Alerts, service: Service) -> None:
    """A push that first pushes another write-back reports both; plans report nothing."""
    run(service, "tasks", dry_run=True)
    assert written.tick() == []
    assert run(service, "tasks").metadata["report"]["states"] == {"succeeded": 1, "held": 1}
    (body,) = written.bodies()
    assert firsts(body) == [
        "Rows need a person: tasks (1 row held).",
        "Rows need a person: crm (1 row invalid).",
    ]
    run(service, "tasks")
    run(service, "crm", dry_run=True)
    assert written.tick() == []
    write(service, "crm.csv", *CRM, "C3,,A3")
    run(service, "crm")
    (body,) = written.bodies()
    assert firsts(body) == ["Rows need a person: crm (2 rows invalid)."]
    write(service, "crm.csv", "ext_id,name,number", "C1,Acme,A1", "C2,Globex,A2")
    assert run(service, "tasks").error is None
    assert written.bodies() == ["Recovered: crm (invalid rows), tasks (held rows)."]


def test_an_unknown_outcome_and_a_push_that_fails(
    written: Alerts, service: Service, account: Emulator
) -> None:
    run(service, "crm")
    written.tick()
    with service.database.session("invoiced") as session:
        session.run("update _writeback_ledger set state = 'unknown' where record_key = 'C1'")
    assert run(service, "crm").error
    (body,) = written.bodies()
    assert firsts(body) == ["Rows need a person: crm (1 row unknown)."]
    write(service, "crm.csv", "ext_id,name,number", "C4,Umbrella,A4")
    account.keys[account.api_key] = "canceled"
    assert run(service, "crm").error
    (body,) = written.bodies()
    assert firsts(body)[0] == "Write-back failed: crm."
    assert "Why: The Invoiced account is not active (402)." in body
    assert written.tick() == []
