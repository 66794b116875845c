"""Deletions: counts of a sync, the sweep's job and schedule, and the sweep after a full refresh."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from invoiced_emulator.protocol.errors import forbidden, refused
from invoiced_emulator.server import Emulator
from invoiced_pipeline.defs.names import sweep_op_name
from invoiced_pipeline.defs.sweep.job import SweepConfig
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline_tests.defs.conftest import START, Service

LONG_AGO = int((START + timedelta(days=1)).timestamp())
MARKED = "select id from invoices where _deleted_at is not null order by id"


def put(account: Emulator, *ids: int, updated_at: int | None = LONG_AGO) -> None:
    records: Any = (
        {"id": number, "object": "invoice", "items": [], "updated_at": updated_at} for number in ids
    )
    account.store.put_many("invoices", records)


def delete(account: Emulator, record: int) -> None:
    account.store.remove("invoices", record)
    now = int(datetime.now(UTC).timestamp())
    event = {"id": record, "type": "invoice.deleted", "data": {"object": {"id": record}}}
    account.store.put("events", event | {"timestamp": now})


def test_a_full_refresh_ends_with_exactly_the_apis_records(
    service: Service, account: Emulator
) -> None:
    service.environment["INVOICED_OPTIONAL_TABLES"] = "contacts"
    put(account, 1, 2, 3, 4)
    account.store.put("customers", {"id": 1, "object": "customer", "updated_at": 1})
    assert service.sync("invoices").error is None
    account.store.remove("invoices", 1)  # without an event
    delete(account, 2)
    put(account, 9, updated_at=None)
    quiet = service.sync("invoices")
    assert quiet.tables["invoices"]["deleted_rows"] == 1
    assert service.query(MARKED) == [(2,)]
    full = service.sync("invoices", "contacts", mode="full")
    assert full.error is None
    paths = [path for _, path, *_ in account.requests]
    assert paths.count("/customers/1/contacts") == 1  # the sweep does not ask again
    assert full.tables["invoices"]["deleted_rows"] == 1
    assert full.tables["invoices"]["rows_loaded"] == 3
    assert service.query(MARKED) == [(1,), (2,)]
    there = service.query("select id from invoices where _deleted_at is null order by id")
    assert there == [(3,), (4,), (9,)]


def test_the_sweep_shows_its_counts_at_the_assets(service: Service, account: Emulator) -> None:
    put(account, *range(1, 301))
    assert service.sync("invoices", "payments").error is None
    account.store.remove("invoices", 1)
    result = service.sweep()
    assert result.error is None
    assert set(result.tables) == {"invoices", "payments"}
    assert result.tables["invoices"]["rows"] == 300
    assert result.tables["invoices"]["deleted_rows"] == 1
    assert service.query(MARKED) == [(1,)]
    (run, *_) = service.instance.get_runs()
    assert (run.job_name, run.status) == ("invoiced_sweep", dg.DagsterRunStatus.SUCCESS)
    records = service.instance.fetch_observations(service.key("invoices"), limit=1).records
    observation = records[0].asset_observation
    assert observation is not None
    assert observation.metadata["listed"].value == 299

    for number in range(2, 202):
        account.store.remove("invoices", number)
    stopped = service.sweep("invoices")
    assert (stopped.error or "").startswith("not swept: invoices: the API does not list 200 of 299")
    assert stopped.tables["invoices"]["deleted_rows"] == 0
    assert "--allow-share 0.7" in stopped.tables["invoices"]["error"]
    full = service.sync("invoices", mode="full")
    assert "--allow-share 0.7" in (full.error or "")
    assert service.query(MARKED) == [(1,)]
    assert service.sweep("invoices", allow_share=0.7).error is None
    assert len(service.query(MARKED)) == 201
    logged = service.query(
        "select table_name, status, deleted_rows, run_id is not null, error is not null "
        "from _sync_log where mode = 'sweep' order by finished_at, table_name"
    )
    assert logged == [
        ("invoices", "succeeded", 1, True, False),
        ("payments", "succeeded", 0, True, False),
        ("invoices", "failed", 0, True, True),
        ("invoices", "succeeded", 200, True, False),
    ]
    # A sweep does not make a table fresh.
    assert service.query("select distinct mode from _sync_status order by mode") == [
        ("full",),
        ("sync",),
    ]


@pytest.mark.slow
def test_without_permission_for_events_a_sync_succeeds_with_a_warning(
    service: Service, account: Emulator
) -> None:
    put(account, 1)

    def refuse(path: str, _: Any) -> None:
        if path == "/events":
            raise forbidden()

    account.on_request = refuse
    result = service.sync("invoices")
    assert result.error is None
    assert (
        "Deletions are not seen: GET /events answered 403" in result.tables["invoices"]["warning"]
    )
    assert service.ids("invoices") == [1]


@pytest.mark.slow
def test_unreadable_events_fail_the_run_but_no_table(service: Service, account: Emulator) -> None:
    put(account, 1)

    def refuse(path: str, _: Any) -> None:
        if path == "/events":
            raise refused("Invalid advanced filter: Syntax error")

    account.on_request = refuse
    result = service.sync("invoices")
    assert (result.error or "").startswith("not complete: deletions: GET /events answered 400")
    assert service.ids("invoices") == [1]
    assert "warning" not in result.tables["invoices"]


def test_the_weekly_sweep_is_on_and_skipped_while_nothing_is_loaded(
    service: Service, account: Emulator
) -> None:
    put(account, 1)
    schedule = service.definitions().resolve_schedule_def("invoiced_sweep_schedule")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING

    def tick() -> dg.SkipReason | dg.RunRequest:
        with dg.build_schedule_context(
            instance=service.instance, scheduled_execution_time=datetime.now(UTC)
        ) as context:
            found = schedule.evaluate_tick(context)
            return (
                found.run_requests[0] if found.run_requests else dg.SkipReason(found.skip_message)
            )

    assert tick() == dg.SkipReason("nothing is loaded yet")
    assert service.sync("invoices").error is None
    request = tick()
    assert isinstance(request, dg.RunRequest)
    job = service.definitions().resolve_job_def("invoiced_sweep")
    assert job.execute_in_process(run_config=request.run_config, instance=service.instance).success


@pytest.mark.slow
def test_the_sweep_waits_for_the_lock_only_when_scheduled(
    service: Service, account: Emulator
) -> None:
    put(account, 1)
    assert service.sync("invoices").error is None
    database = open_database(service.settings().warehouse)
    with database.writer_lock("invoiced", "another"):
        assert "another run writes this warehouse" in (service.sweep().error or "")
    schedule = service.definitions().resolve_schedule_def("invoiced_sweep_schedule")
    assert schedule.cron_schedule == "23 4 * * 0"
    with dg.build_schedule_context(
        instance=service.instance, scheduled_execution_time=datetime.now(UTC)
    ) as context:
        (request,) = schedule.evaluate_tick(context).run_requests or []
    configured = request.run_config["ops"][sweep_op_name(service.settings().first)]["config"]
    assert configured["tries"] == 30
    assert SweepConfig(**configured).tables == []
