"""Which runs are deleted, and what schedules, checks and the UI still read afterwards."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.defs.code_location import job_origin
from invoiced_pipeline.defs.retention.old_runs import delete_old_runs
from invoiced_pipeline.defs.status import connection_status
from invoiced_pipeline.settings import DagsterSettings, Settings
from invoiced_pipeline_tests.defs.conftest import KEYS, Service

TABLES = ("customers", "plans")


def tomorrow() -> datetime:
    """An instant after the end of every run."""
    return datetime.now(UTC) + timedelta(days=1)


def shown(service: Service) -> dict[str, object]:
    """What ticks, checks, `status` and the UI read of the tables."""
    instance, settings = service.instance, service.settings()
    keys = [service.key(table) for table in TABLES]
    events = {key: instance.get_latest_materialization_event(key) for key in keys}
    status = connection_status(instance, settings, settings.first, tomorrow())
    return {
        "partitions": [service.marked(table) for table in TABLES],
        "metadata": [
            event and event.asset_materialization and event.asset_materialization.metadata
            for event in events.values()
        ],
        "status": status.tables,
        "sweeps": [
            [each.run_id for each in instance.fetch_observations(key, limit=1).records]
            for key in keys
        ],
    }


def run_ids(service: Service) -> set[str]:
    return {run.run_id for run in service.instance.get_runs()}


def test_a_run_with_the_newest_event_of_a_partition_stays(service: Service) -> None:
    first = service.sync(*TABLES).run_id
    between = service.sync(*TABLES).run_id
    swept = service.sweep(*TABLES).run_id
    newest = service.sync(*TABLES).run_id
    before = shown(service)
    assert before["partitions"] == [KEYS, KEYS]
    assert list(service.folder.rglob(f"{between}*"))

    assert delete_old_runs(service.instance, service.settings(), tomorrow()) == 1
    assert run_ids(service) == {first, swept, newest}
    assert shown(service) == before
    assert not list(service.folder.rglob(f"{between}*"))
    # The next sync continues where the last one ended.
    assert service.sync(*TABLES).tables["plans"]["mode"] == "sync"
    assert delete_old_runs(service.instance, service.settings(), tomorrow()) == 1
    assert newest not in run_ids(service)


@pytest.mark.parametrize("status", ["NOT_STARTED", "QUEUED", "STARTING", "STARTED", "CANCELING"])
def test_a_run_in_progress_stays(service: Service, status: str) -> None:
    origin = job_origin("invoiced_sync", service.settings())
    run = dg.DagsterRun(
        job_name="invoiced_sync", status=dg.DagsterRunStatus(status), remote_job_origin=origin
    )
    service.instance.add_run(run)
    assert delete_old_runs(service.instance, service.settings(), tomorrow()) == 0
    assert run_ids(service) == {run.run_id}


@pytest.mark.parametrize(
    ("job", "location", "is_deleted"),
    [
        ("invoiced_sync", None, True),
        ("invoiced_sweep", "invoiced_pipeline", True),
        ("delete_old_runs", None, True),
        ("invoiced_sync", "crm", False),
        ("crm_sync", None, False),
    ],
    ids=["of Dagster's command", "ours", "the job itself", "another location", "another job"],
)
def test_runs_of_other_projects_stay(
    service: Service, job: str, location: str | None, is_deleted: bool
) -> None:
    status = dg.DagsterRunStatus.FAILURE
    dagster = DagsterSettings(code_location=location or "none")
    origin = job_origin(job, Settings(dagster=dagster)) if location else None
    service.instance.add_run(dg.DagsterRun(job_name=job, status=status, remote_job_origin=origin))
    assert delete_old_runs(service.instance, service.settings(), tomorrow()) == is_deleted
    young = dg.DagsterRun(job_name=job, status=status, remote_job_origin=origin)
    service.instance.add_run(young)
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert delete_old_runs(service.instance, service.settings(), an_hour_ago) == 0
    assert young.run_id in run_ids(service)


def test_the_job_exists_only_with_the_setting(service: Service, account: Emulator) -> None:
    assert not [job for job in service.definitions().jobs or () if job.name == "delete_old_runs"]
    (service.folder / "invoiced.toml").write_text("[dagster]\nkeep_runs_days = 30\n")
    defs = service.definitions()
    job = defs.resolve_job_def("delete_old_runs")
    schedule = defs.resolve_schedule_def("delete_old_runs_schedule")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    young = dg.DagsterRun(job_name="invoiced_sync", status=dg.DagsterRunStatus.FAILURE)
    service.instance.add_run(young)
    assert job.execute_in_process(instance=service.instance).success
    assert young.run_id in run_ids(service)
