"""The state of tables before, during and after a run."""

from datetime import UTC, datetime, timedelta
from typing import Any

from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline.defs.launch.launch import run_writeback
from invoiced_pipeline.defs.status import (
    ConnectionStatus,
    TableStatus,
    WritebackStatus,
    connection_status,
)
from invoiced_pipeline.defs.writeback.config import WritebackConfig
from invoiced_pipeline_tests.conftest import customer, invoice
from invoiced_pipeline_tests.defs.conftest import START, Service
from invoiced_pipeline_tests.defs.ticks import turn_on

CHANGED = int((START + timedelta(days=1)).timestamp())
AT = datetime(2025, 5, 1, 12, tzinfo=UTC)


def status(service: Service) -> ConnectionStatus:
    settings = service.settings()
    return connection_status(service.instance, settings, settings.first, AT)


def tables(service: Service) -> dict[str, TableStatus]:
    return {each.table: each for each in status(service).tables}


def states(service: Service) -> dict[str, str]:
    """States of the tables that are not pending."""
    found = {name: each.state for name, each in tables(service).items()}
    return {name: state for name, state in found.items() if state != "pending"}


def test_before_the_first_run_all_tables_are_pending(service: Service) -> None:
    found = status(service)
    assert (found.connection, found.dataset) == ("Invoiced", "invoiced")
    assert [each.table for each in found.tables] == list(TABLE_NAMES)
    assert {each.state for each in found.tables} == {"pending"}
    assert (found.schedule_on, found.last_start) == (False, None)
    assert found.schedule == "Every hour, at minute 0 (UTC)"
    assert found.next_start == AT + timedelta(hours=1)
    turn_on(service.instance, "invoiced_sync_schedule")
    assert status(service).schedule_on


def test_during_and_after_a_run(service: Service, account: Emulator) -> None:
    account.store.put("customers", customer(1, CHANGED))
    seen: list[dict[str, str]] = []

    def look(*_: Any) -> None:
        account.on_request = None
        # While a run writes, no other process can open the file, and `status` does not try.
        with service.database.session("invoiced"):
            seen.append(states(service))

    account.on_request = look
    began = datetime.now(UTC)
    result = service.sync("customers", "plans")
    assert seen == [{"customers": "running", "plans": "running"}]
    assert states(service) == {"customers": "ok", "plans": "ok"}
    found = tables(service)["customers"]
    assert (found.rows, found.windows, found.run_id) == (1, 1, result.run_id)
    assert found.covered_since == START
    assert found.covered_until is not None
    assert found.started_at is not None
    assert found.ended_at is not None
    assert began < found.started_at < found.ended_at
    assert status(service).last_start == found.started_at


def test_only_the_table_that_fails_has_failed(service: Service, account: Emulator) -> None:
    account.store.put("customers", customer(1, CHANGED))

    def refuse(path: str, _: Any) -> None:
        if path == "/plans":
            raise refused("Invalid filter parameter: x")

    account.on_request = refuse
    assert service.sync("customers", "plans").error
    assert states(service) == {"customers": "ok", "plans": "failed"}
    found = tables(service)
    assert "not complete: plans: " in (found["plans"].error or "")
    assert found["customers"].error is None
    # Rows of earlier runs are still shown.
    account.keys[account.api_key] = "canceled"
    service.sync("customers")
    failed = tables(service)["customers"]
    assert (failed.state, failed.rows, failed.covered_since) == ("failed", 1, START)


def test_a_table_that_is_loaded_but_wrong_has_failed(service: Service, account: Emulator) -> None:
    account.store.put_many("invoices", [invoice(1, CHANGED), invoice(2, CHANGED, total="none")])
    assert service.sync("invoices", "plans").error
    assert states(service) == {"invoices": "failed", "plans": "ok"}
    assert "1 of 2 records fits no column" in (tables(service)["invoices"].error or "")


def test_a_table_that_no_run_loads_becomes_stale(service: Service, account: Emulator) -> None:
    account.store.put("customers", customer(1, CHANGED))
    assert service.sync("customers").error is None
    settings = service.settings()
    now = datetime.now(UTC)
    for hours, is_stale in ((47, False), (49, True)):
        at = now + timedelta(hours=hours)
        found = connection_status(service.instance, settings, settings.first, at)
        assert found.is_well is not is_stale
        stale = {each.table for each in found.tables if each.is_stale}
        assert stale == ({"customers"} if is_stale else set())


_CRM = """
[[writeback]]
name = "companies"
operation = "create_customer"
source = "crm.csv"
key = "id"
exclude = ["id"]
active = true
"""


def test_rows_of_a_write_back_wait_until_they_are_sent(service: Service, account: Emulator) -> None:
    (service.folder / "invoiced.toml").write_text(_CRM)
    (service.folder / "crm.csv").write_text("id,name,number\nA,One,1\nB,Two,2\nC,,3\n")
    settings = service.settings()

    def push(**config: Any) -> WritebackStatus:
        configured = WritebackConfig(**config)
        run_writeback(
            service.definitions(), settings.first, "companies", service.instance, configured
        )
        (found,) = status(service).writebacks
        return found

    assert status(service).writebacks == [WritebackStatus(writeback="companies")]
    planned = push()
    assert (planned.state, planned.waiting) == ("ok", {"planned": 2, "invalid": 1})
    failed = push(dry_run=False)
    assert (failed.state, failed.waiting) == ("failed", {"invalid": 1})
    assert "1 of 3 rows was refused" in (failed.error or "")
    assert not status(service).is_well
    # One record by hand says nothing about the others.
    assert push(dry_run=False, record="A").run_id == failed.run_id
    (service.folder / "crm.csv").write_text("id,name,number\nA,One,1\nB,Two,2\n")
    sent = push(dry_run=False)
    assert (sent.state, sent.waiting, sent.error) == ("ok", {}, None)
    account.keys[account.api_key] = "canceled"
    push(dry_run=False)
    at = datetime.now(UTC)
    found = connection_status(service.instance, settings, settings.first, at)
    assert found.failed_runs == {
        "invoiced_sync": 0,
        "invoiced_sweep": 0,
        "writeback_companies": 1 + (found.writebacks[0].state == "failed"),
    }
