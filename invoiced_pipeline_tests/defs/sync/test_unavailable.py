"""Tables that the account does not have, as Dagster, the sync log and the commands show them."""

import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline.defs.status import TableStatus, connection_status
from invoiced_pipeline.defs.sync.unavailable import UNAVAILABLE
from invoiced_pipeline_tests.conftest import customer
from invoiced_pipeline_tests.defs.conftest import KEYS, RANGE, START, Service, months_ago
from invoiced_pipeline_tests.front_door import front_door, invoiced_account

CHANGED = int((START + timedelta(days=1)).timestamp())
FEATURE = "GET /plans answered 400: Your Invoiced account does not have access to this feature"
PERMISSION = "GET /payments answered 403: You do not have permission to do that"
ANNOUNCEMENT = "not available and w"


def put_plan(account: Emulator, name: str, at: int = CHANGED) -> None:
    account.store.put("plans", {"id": name, "created_at": at, "updated_at": at})


def states(service: Service) -> dict[str, TableStatus]:
    settings = service.settings()
    found = connection_status(service.instance, settings, settings.first, months_ago(0))
    return {each.table: each for each in found.tables}


def last_range(service: Service) -> tuple[str, ...]:
    (run,) = service.instance.get_runs(limit=1)
    return tuple(run.tags[tag] for tag in RANGE)


def check_states(service: Service, table: str) -> dict[str, str]:
    """The states of a table's checks; after a green run, the UI shows PLANNED as skipped."""
    keys = [dg.AssetCheckKey(service.key(table), name) for name in ("primary_key", "newest_window")]
    found = service.instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    return {key.name: record.status.value for key, record in found.items()}


def test_run_is_green_and_shows_what_the_account_does_not_have(
    service: Service, account: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    account.account.features.clear()
    account.account.forbidden.add("payments")
    account.store.put("customers", customer(1, CHANGED))
    put_plan(account, "old")

    with caplog.at_level(logging.WARNING):
        first = service.sync()
    assert first.error is None
    assert set(first.unavailable) == {"plans", "subscriptions", "payments"}
    assert set(first.tables) == set(TABLE_NAMES) - set(first.unavailable)
    assert first.unavailable["plans"] == FEATURE
    assert first.unavailable["payments"].startswith(PERMISSION)
    (said,) = [line for line in caplog.messages if "not available" in line]
    assert said.startswith("The tables subscriptions, plans, payments are not available and were ")
    assert said.count("does not have access to this feature") == 1

    logged = service.query("select table_name, error from _sync_log where status = 'unavailable'")
    assert dict(logged) == first.unavailable
    assert service.query("select count(*) from _sync_log where status = 'succeeded'") == [(13,)]
    assert service.ids("plans") == []

    plans = states(service)["plans"]
    assert (plans.state, plans.error, plans.unavailable) == ("unavailable", None, FEATURE)
    assert service.instance.get_latest_materialization_event(service.key("plans")) is None
    (observed,) = service.instance.fetch_observations(service.key("plans"), limit=9).records
    assert observed.asset_observation is not None
    assert observed.asset_observation.metadata[UNAVAILABLE].value == FEATURE
    assert check_states(service, "plans") == {"newest_window": "FAILED"}

    # These tables do not widen the range of the next runs.
    assert last_range(service) == (KEYS[0], KEYS[-1])
    assert service.sync().error is None
    assert last_range(service) == (KEYS[-1], KEYS[-1])

    # Once the account has them, they are loaded completely, and all partitions are marked.
    account.account.features.add("subscription_billing")
    account.account.forbidden.clear()
    last = service.sync()
    assert (last.error, last.unavailable) == (None, {})
    assert last_range(service) == (KEYS[-1], KEYS[-1])
    assert service.ids("plans") == ["old"]
    assert service.marked("plans") == service.marked("customers") == KEYS
    plans = states(service)["plans"]
    assert (plans.state, plans.rows, plans.covered_since) == ("ok", 1, START)


def test_loaded_table_that_becomes_unavailable_keeps_its_rows(
    service: Service, account: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        put_plan(account, f"p{number}")
    account.store.put("customers", customer(1, CHANGED))
    assert service.sync("plans", "customers").error is None
    before = states(service)["plans"]
    account.account.features.clear()
    account.store.remove("customers", 1)

    with caplog.at_level(logging.WARNING):
        swept = service.sweep()
    assert (swept.error, set(swept.unavailable)) == (None, {"plans"})
    assert swept.tables["customers"]["deleted_rows"] == 1
    (said,) = [line for line in caplog.messages if ANNOUNCEMENT in line]
    assert said.endswith("No row of it was marked as deleted")

    full = service.sync("plans", "customers", mode="full")
    assert (full.error, set(full.unavailable), set(full.tables)) == (None, {"plans"}, {"customers"})
    assert service.query("select count(*), count(_deleted_at) from plans") == [(3, 0)]
    after = states(service)["plans"]
    assert (after.state, after.rows) == ("unavailable", 3)
    assert after.covered_until == before.covered_until
    log = "select mode, coverage_before = coverage_after from _sync_log where status = "
    assert service.query(f"{log} 'unavailable' order by finished_at") == [
        ("sweep", True),
        ("full", True),
    ]


def test_key_that_can_read_no_table_is_an_error(service: Service, account: Emulator) -> None:
    account.account.forbidden.update(TABLE_NAMES)
    account.account.forbidden.add("events")
    failed = service.sync()
    assert "16 tables: none of the connection's tables can be read: the API answered 403" in (
        failed.error or ""
    )
    assert (failed.tables, failed.unavailable) == ({}, {})
    assert {each.state for each in states(service).values()} == {"failed"}
    assert service.query("select distinct status from _sync_log") == [("failed",)]
    with service.database.session("invoiced", read_only=True) as session:
        assert "plans" not in session.tables()
    # With a single table, the other tables are tried, too.
    assert "none of the connection's tables" in (service.sync("plans").error or "")
    account.account.forbidden.remove("estimates")
    one = service.sync("plans")
    assert (one.error, set(one.unavailable)) == (None, {"plans"})


def test_sweep_with_a_key_that_can_read_no_table_is_an_error(
    service: Service, account: Emulator
) -> None:
    put_plan(account, "kept")
    assert service.sync("plans").error is None
    account.account.forbidden.update(TABLE_NAMES)
    failed = service.sweep()
    assert "not swept: plans: none of the connection's tables can be read" in (failed.error or "")
    assert service.query("select count(_deleted_at) from plans") == [(0,)]


def test_commands_on_an_account_without_a_feature(tmp_path: Path) -> None:
    with invoiced_account(features=(), forbidden={"events"}) as account:
        account.store.put("customers", customer(1, account.clock.now() - 100))
        with front_door(tmp_path, account) as door:
            select = ("--select", "invoiced/plans", "--partition", KEYS[-1])
            done = door.materialize(*select)
            (line,) = [line for line in done.said.splitlines() if ANNOUNCEMENT in line]
            assert "The table plans is not available and was left out: GET /plans" in line

            shown: Any = json.loads(door.run("invoiced-pipeline", "status", "--json").out)
            plans = next(each for each in shown[0]["tables"] if each["table"] == "plans")
            assert (plans["state"], plans["unavailable"]) == ("unavailable", FEATURE)

            checked = json.loads(door.run("invoiced-pipeline", "check", "--json").out)
            lacking = {each["subject"]: each for each in checked if each["unavailable"]}
            assert set(lacking) == {"plans", "subscriptions", "events"}
            assert {each["problem"] for each in lacking.values()} == {None}
