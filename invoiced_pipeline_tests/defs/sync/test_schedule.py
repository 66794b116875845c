"""The schedule of a sync: ticks, the runs that they request, and skipped starts."""

import logging
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline.defs.code_location import job_origin
from invoiced_pipeline.defs.runs.liveness import PROCESS_TAG, this_process
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline_tests.conftest import customer
from invoiced_pipeline_tests.defs.conftest import KEYS, RANGE, START, Outcome, Service, months_ago
from invoiced_pipeline_tests.defs.ticks import record_skip, turn_on
from invoiced_pipeline_tests.lock_holder import LOCKS, EndsHolder, holding

NAME = "invoiced_sync_schedule"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def configure(service: Service, **schedule: str) -> None:
    service.environment |= {f"INVOICED_SCHEDULE_{key.upper()}": schedule[key] for key in schedule}


def schedule_of(service: Service) -> dg.ScheduleDefinition:
    return service.definitions().resolve_schedule_def(NAME)


def tick(
    service: Service, at: str = "2025-05-01T12:00", schedule: dg.ScheduleDefinition | None = None
) -> Any:
    """The result of a tick at an instant: a request for a run, or the reason to skip it."""
    # If left open, a context's instance would remain Dagster's current one after its end.
    with dg.build_schedule_context(service.instance, utc(at)) as context:
        data = (schedule or schedule_of(service)).evaluate_tick(context)
    if data.skip_message is not None:
        assert not data.run_requests
        return data.skip_message
    (request,) = data.run_requests or []
    return request


def run(service: Service, request: dg.RunRequest) -> Outcome:
    """Executes a requested run in this process."""
    job = service.definitions().resolve_job_def("invoiced_sync")
    result = job.execute_in_process(
        instance=service.instance,
        asset_selection=[service.key("customers")],  # one table is quicker than all
        run_config=request.run_config,
        tags=dict(request.tags),
        raise_on_error=False,
    )
    return Outcome(result)


def record_run(service: Service, job: str = "invoiced_sync", *, process: str = "") -> str:
    """Records a run that Dagster takes for running; returns its id."""
    tags = {PROCESS_TAG: process} if process else {}
    run = dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    service.instance.add_run(run)
    return run.run_id


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_it_is_off_by_default_and_describes_itself(service: Service) -> None:
    found = schedule_of(service)
    assert found.default_status is dg.DefaultScheduleStatus.STOPPED
    assert (found.job_name, found.cron_schedule) == ("invoiced_sync", "0 * * * *")
    assert found.description == (
        "Every hour, at minute 0 (UTC). While a sync runs, starts are skipped."
    )
    configure(service, frequency="6h", anchor="03:30", timezone="Europe/Berlin", when_busy="wait")
    found = schedule_of(service)
    assert found.cron_schedule == "30 3,9,15,21 * * *"
    assert found.execution_timezone == "Europe/Berlin"
    assert (found.description or "").endswith("While a sync runs, the next start waits.")


def test_a_wrong_cron_is_an_error_when_definitions_load(service: Service) -> None:
    configure(service, cron="0 0 3 1 * MON", dialect="quartz")
    with pytest.raises(ConfigurationError, match=r"schedule\.cron: '0 0 3 1 . MON' is"):
        service.definitions()


def test_a_tick_requests_one_run_over_what_is_not_covered(
    service: Service, account: Emulator
) -> None:
    changed = int((months_ago(1) + timedelta(days=3)).timestamp())
    account.store.put("customers", customer(1, changed))
    request = tick(service)
    assert (request.tags[RANGE[0]], request.tags[RANGE[1]]) == (KEYS[0], KEYS[-1])
    config = request.run_config["ops"]["replicate_invoiced"]["config"]
    assert config == {"mode": "sync", "when_busy": "wait"}
    assert run(service, request).success
    assert service.marked("customers") == KEYS
    assert service.ids("customers") == [1]


def cover(service: Service, table: str, until: datetime, windows: int = 1) -> None:
    """Records a materialization that covers a table from the start date on."""
    covered = {
        "covered_since": dg.MetadataValue.timestamp(START),
        "covered_until": dg.MetadataValue.timestamp(until),
        "covered_windows": windows,
    }
    event = dg.AssetMaterialization(service.key(table), metadata=covered)
    service.instance.report_runless_asset_event(event)


def test_the_range_covers_what_any_table_lacks(service: Service) -> None:
    for table in TABLE_NAMES:
        cover(service, table, months_ago(0) + timedelta(minutes=6))
    assert tick(service).tags[RANGE[0]] == KEYS[3]
    cover(service, "plans", months_ago(0) + timedelta(minutes=4))  # the overlap is five
    assert tick(service).tags[RANGE[0]] == KEYS[2]
    cover(service, "plans", months_ago(0) + timedelta(minutes=6), windows=2)  # with a gap
    assert tick(service).tags[RANGE[0]] == KEYS[0]
    assert tick(service).tags[RANGE[1]] == KEYS[3]


@pytest.mark.duckdb("a server may be asked at any time")
def test_a_tick_never_opens_the_warehouse(service: Service) -> None:
    file = Path(service.database.label)
    file.parent.mkdir()
    file.write_text("no database, which opening it would tell")
    assert isinstance(tick(service), dg.RunRequest)


def test_ticks_of_a_frequency_that_unix_cron_cannot_express(service: Service) -> None:
    configure(service, frequency="7h", anchor="2025-05-01T03:30:00Z")
    found = schedule_of(service)
    assert (found.cron_schedule, found.execution_timezone) == ("30 * * * *", "UTC")
    asked = {
        f"{hour:02}:30": tick(service, f"2025-05-01T{hour:02}:30", found) for hour in range(2, 12)
    }
    starts = [at for at, answer in asked.items() if isinstance(answer, dg.RunRequest)]
    assert starts == ["03:30", "10:30"]
    assert asked["04:30"] == "no start at 04:30 UTC"
    assert isinstance(tick(service, "2025-05-02T00:30"), dg.RunRequest)


def test_ticks_of_a_quartz_cron_that_unix_cron_cannot_express(service: Service) -> None:
    configure(service, cron="0 0 9 15W * ?", dialect="quartz", timezone="Europe/Berlin")
    found = schedule_of(service)
    assert found.cron_schedule == "0 7,8 * * *"
    assert isinstance(tick(service, "2025-06-16T07:00", found), dg.RunRequest)  # 15 is a Sunday
    assert tick(service, "2025-06-16T08:00", found) == "no start at 08:00 UTC"
    assert tick(service, "2025-06-15T07:00", found) == "no start at 07:00 UTC"
    assert isinstance(tick(service, "2025-01-15T08:00", found), dg.RunRequest)


def test_a_sync_that_runs_into_the_next_start_skips_it_as_in_stitch(service: Service) -> None:
    """Hourly from 14:30; the second sync takes 68 minutes: 16:30 is skipped, 17:30 runs."""
    configure(service, frequency="1h", anchor="14:30")
    found = schedule_of(service)
    assert isinstance(tick(service, "2025-05-01T14:30", found), dg.RunRequest)
    assert isinstance(tick(service, "2025-05-01T15:30", found), dg.RunRequest)
    run_id = record_run(service)
    with holding(service.database, run_id, "invoiced") as process:
        reason = tick(service, "2025-05-01T16:30", found)
        assert f"the last sync has not ended: run {run_id} (pid {process.pid}, since " in reason
        process.communicate("\n")
    assert isinstance(tick(service, "2025-05-01T17:30", found), dg.RunRequest)


def test_a_run_that_died_with_the_service_does_not_block_the_next(
    service: Service,
) -> None:
    run_id = record_run(service)
    with holding(service.database, run_id, "invoiced") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        request = tick(service)
    assert isinstance(request, dg.RunRequest)
    # Dagster still takes it for running; the next run marks it as failed.
    assert run(service, request).success
    dead = service.instance.get_run_by_id(run_id)
    assert dead is not None
    assert dead.status is dg.DagsterRunStatus.FAILURE


def test_an_unknown_run_counts_as_the_last_sync(service: Service) -> None:
    with holding(service.database, "of-another-instance", "invoiced"):
        assert "the last sync has not ended: run of-another-instance" in tick(service)


@pytest.mark.parametrize("job", ["invoiced_sync", "other_sync"])
def test_a_start_waits_for_the_lock(service: Service, job: str) -> None:
    """With `when_busy = "wait"`, and always for another connection that writes the same file."""
    configure(service, when_busy="wait" if job == "invoiced_sync" else "skip")
    run_id = record_run(service, job)
    with holding(service.database, run_id, "invoiced"):
        assert isinstance(tick(service), dg.RunRequest)
        # While one waits, another would have nothing to read; a dead one does not count.
        record_run(service, process=f"{ended_process()}@{socket.gethostname()}")
        assert isinstance(tick(service), dg.RunRequest)
        waiting = record_run(service, process=this_process())
        assert f"run {waiting} already waits for run {run_id}" in tick(service)


def test_a_start_is_skipped_while_a_run_is_in_the_queue(service: Service) -> None:
    """It will read all that a second one would, however long the queue is."""

    def queue(job: str) -> str:
        origin = job_origin(job, service.settings())
        status = dg.DagsterRunStatus.QUEUED
        run = dg.DagsterRun(job_name=job, status=status, remote_job_origin=origin)
        service.instance.add_run(run)
        return run.run_id

    queue("other_sync")
    assert isinstance(tick(service), dg.RunRequest)
    run_id = queue("invoiced_sync")
    assert tick(service) == f"run {run_id} has not started yet"


def test_a_scheduled_run_waits(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(service, when_busy="wait")
    with holding(service.database, record_run(service, "other_sync"), "invoiced") as process:
        request = tick(service)
        log = logging.getLogger(LOCKS[service.database.kind])
        monkeypatch.setattr(log, "handlers", [EndsHolder(process)])
        monkeypatch.setattr(log, "level", logging.INFO)
        assert run(service, request).success
        assert process.poll() == 0


def test_a_run_started_by_hand_does_not_wait(service: Service) -> None:
    run_id = record_run(service)
    with holding(service.database, run_id, "invoiced"):
        assert f"another run writes this warehouse: run {run_id}" in (
            service.sync("customers").error or ""
        )


def test_the_next_run_logs_skipped_starts(service: Service) -> None:
    state = turn_on(service.instance, NAME)
    other = turn_on(service.instance, "other_sync_schedule")
    for at, reason in (("16:30", "the last sync has not ended"), ("17:30", "run x already waits")):
        record_skip(service.instance, state, utc(f"2025-05-01T{at}"), reason)
    record_skip(service.instance, state, utc("2025-05-01T18:00"), "no start at 18:00 UTC")
    record_skip(service.instance, other, utc("2025-05-01T18:30"), "of another connection")
    skipped = (
        "select started_at, error, connection from _sync_log where status = 'skipped' order by 1"
    )
    first = [
        (utc("2025-05-01T16:30"), "the last sync has not ended", "Invoiced"),
        (utc("2025-05-01T17:30"), "run x already waits", "Invoiced"),
    ]
    assert service.sync("customers").error is None
    assert service.query(skipped) == first
    # Each is logged once; later ones are added.
    record_skip(service.instance, state, utc("2025-05-01T19:30"), "again")
    assert service.sync("customers").error is None
    assert service.query(skipped) == [*first, (utc("2025-05-01T19:30"), "again", "Invoiced")]
    for view in ("_sync_status", "_sync_freshness", "_sync_usage"):
        assert service.query(f"select distinct table_name from {view}") == [("customers",)]


def test_settings_changed_during_a_run_apply_to_the_next(
    service: Service, account: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = int((START + timedelta(days=1)).timestamp())
    account.store.put("customers", customer(1, changed))
    tables = ["[[connection]]", "[connection.tables]", 'include = ["plans"]']

    def change(*_: object) -> None:
        account.on_request = None
        (service.folder / "invoiced.toml").write_text("\n".join(tables))
        monkeypatch.setenv("INVOICED_API_KEY", "AnotherNeverSeenKey0123456789abc")

    account.on_request = change
    first = service.sync("customers", "plans")
    assert first.error is None
    assert service.ids("customers") == [1]
    assert "answered 401" in (service.sync().error or "")
    monkeypatch.setenv("INVOICED_API_KEY", account.api_key)
    assert list(service.sync().tables) == ["plans"]
