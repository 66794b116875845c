"""What Dagster's queue holds back with the settings for several machines."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster import DagsterEventType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import (
    QueuedRunCoordinatorDaemon,
)

from invoiced_pipeline.defs.assembly import build_definitions
from invoiced_pipeline.settings import load_settings
from invoiced_pipeline_tests.processes import REPOSITORY

SETTINGS = """
[[connection]]
name = "One"
[[connection]]
name = "Two"
api_key_env = "TWO_API_KEY"
[models]
enabled = true
[[writeback]]
name = "crm"
connection = "One"
operation = "update_customer"
source = "crm.csv"
key = "id"
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    of_machines = yaml.safe_load(
        (REPOSITORY / "deploy/celery/dagster.yaml").read_text(encoding="utf-8")
    )
    with dg.instance_for_test(
        temp_dir=str(tmp_path),
        overrides={"concurrency": of_machines["concurrency"], "telemetry": {"enabled": False}},
    ) as instance:
        yield instance


@pytest.fixture
def definitions(tmp_path: Path) -> dg.Definitions:
    (tmp_path / "invoiced.toml").write_text(SETTINGS, encoding="utf-8")
    return build_definitions(load_settings({}, tmp_path))


def queue(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    job: str,
    *assets: str,
) -> str:
    """Queues a run without tags, as the UI's Materialize does, and returns its id."""
    found = definitions.resolve_job_def(job)
    if assets:
        keys = {dg.AssetKey.from_user_string(each) for each in assets}
        found = found.get_subset(asset_selection=keys)
    location = RegisteredCodeLocationOrigin("invoiced")
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job)
    run = instance.create_run_for_job(found, remote_job_origin=origin)
    instance.report_dagster_event(event_of(job, DagsterEventType.RUN_ENQUEUED), run.run_id)
    return run.run_id


def event_of(job: str, status: DagsterEventType) -> dg.DagsterEvent:
    return dg.DagsterEvent(event_type_value=status.value, job_name=job)


def launched(instance: dg.DagsterInstance) -> list[str]:
    """Returns the queued runs that Dagster's daemon would launch now."""
    daemon = QueuedRunCoordinatorDaemon(interval_seconds=1)
    limits = instance.get_concurrency_config()
    runs = daemon._get_runs_to_dequeue(instance, limits, fixed_iteration_time=None)
    return [run.run_id for run in runs]


@pytest.mark.parametrize(
    ("job", "assets", "held_back"),
    [
        ("__ASSET_JOB", ["one/invoices"], True),
        ("__ASSET_JOB", ["one/customers", "two/customers"], True),
        ("one_sweep", [], True),
        ("writeback_crm", [], True),
        ("__ASSET_JOB", ["one_models/invoiced__ar_aging"], True),
        ("__ASSET_JOB", ["two/invoices"], False),
    ],
)
def test_a_run_waits_in_the_queue_while_another_one_writes_its_dataset(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    job: str,
    assets: list[str],
    held_back: bool,
) -> None:
    sync = queue(instance, definitions, "one_sync")
    assert launched(instance) == [sync]
    instance.report_dagster_event(event_of("one_sync", DagsterEventType.RUN_START), sync)
    queued = queue(instance, definitions, job, *assets)
    assert launched(instance) == ([] if held_back else [queued])
