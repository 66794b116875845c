"""Dagster as a service: `dagster dev` with its daemon, over the UI's GraphQL."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline_tests.front_door import (
    DEADLINE,
    SECRETS,
    FrontDoor,
    Gate,
    expected,
    front_door,
    invoiced_account,
    wait_until,
)
from invoiced_pipeline_tests.lock_holder import holding

pytestmark = pytest.mark.slow

_THIS_MONTH = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
START = (_THIS_MONTH - timedelta(days=40)).replace(day=10)
_DONE = {"SUCCESS", "FAILURE", "CANCELED"}
_LAUNCH = """
mutation($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}"""
_BACKFILL = """
mutation($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
_BACKFILL_STATUS = """
query($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } }
}"""
_RUN = """
query($id: ID!) {
  runOrError(runId: $id) {
    ... on Run { status runConfigYaml tags { key value } eventConnection { events {
      ... on MessageEvent { message }
      ... on ExecutionStepFailureEvent { error { message stack } }
    } } }
  }
}"""
_SCHEDULE = {
    "repositoryLocationName": "invoiced_pipeline",
    "repositoryName": "__repository__",
    "scheduleName": "invoiced_sync_schedule",
}
_START_SCHEDULE = """
mutation($selector: ScheduleSelector!) {
  startSchedule(scheduleSelector: $selector) {
    __typename
    ... on ScheduleStateResult { scheduleState { id } }
    ... on PythonError { message }
  }
}"""
_STOP_SCHEDULE = """
mutation($id: String!) { stopRunningSchedule(id: $id) { __typename } }"""
_TICKS = """
query($selector: ScheduleSelector!) {
  scheduleOrError(scheduleSelector: $selector) {
    ... on Schedule { scheduleState { ticks { status skipReason timestamp } } }
  }
}"""
_ASSETS = """
query { assetNodes { assetKey { path } description hasMaterializePermission
  partitionKeys partitionStats { numMaterialized numPartitions numFailed } } }"""

_CHECKS = """
query($keys: [AssetKeyInput!]) { assetNodes(assetKeys: $keys) {
  jobNames assetChecksOrError { ... on AssetChecks { checks { name jobNames } } } } }"""


@dataclass
class Webserver:
    """A running `dagster dev`, queried as the UI does."""

    process: subprocess.Popen[str]
    url: str

    def ask(self, query: str, **variables: Any) -> Any:
        body = {"query": query, "variables": variables}
        answer = urllib3.request("POST", f"{self.url}/graphql", json=body, timeout=60).json()
        assert not any(secret in str(answer) for secret in SECRETS)
        assert "errors" not in answer, answer
        (result,) = answer["data"].values()
        return result

    def is_up(self) -> bool:
        with suppress(urllib3.exceptions.HTTPError):
            return bool(self.ask(_ASSETS))
        return False

    def tables(self) -> list[dict[str, Any]]:
        """The assets that are materialized; the account and child tables have no partitions."""
        return [asset for asset in self.ask(_ASSETS) if asset["partitionKeys"]]

    def launch_sync(self, first: str, last: str) -> str:
        """Starts the sync job for a range of partitions, as a schedule would; gives its run."""
        tags = {
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        }
        params = {
            "selector": {
                "repositoryLocationName": "invoiced_pipeline",
                "repositoryName": "__repository__",
                "jobName": "invoiced_sync",
            },
            "runConfigData": {"ops": {"replicate_invoiced": {"config": {"mode": "sync"}}}},
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in tags.items()]},
        }
        return self._launch(params)

    def materialize(self, table: str, partition: str) -> str:
        """Starts one partition of an asset as the UI's "Launch 1 run" does; gives its run."""
        key = {"path": ["invoiced", table]}
        (node,) = self.ask(_CHECKS, keys=[key])
        job = "__ASSET_JOB"
        assert job in node["jobNames"]
        checks = [each for each in node["assetChecksOrError"]["checks"] if job in each["jobNames"]]
        params = {
            "selector": {
                "repositoryLocationName": "invoiced_pipeline",
                "repositoryName": "__repository__",
                "jobName": job,
                "assetSelection": [key],
                "assetCheckSelection": [{"name": c["name"], "assetKey": key} for c in checks],
            },
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": partition}]},
        }
        return self._launch(params)

    def _launch(self, params: dict[str, Any]) -> str:
        launched = self.ask(_LAUNCH, params=params)
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return launched["run"]["runId"]

    def ticks(self, status: str) -> list[dict[str, Any]]:
        """What the daemon recorded of the sync's schedule, newest first."""
        ticks = self.ask(_TICKS, selector=_SCHEDULE)["scheduleState"]["ticks"]
        return [tick for tick in ticks if tick["status"] == status]

    def wait_for(self, run_id: str) -> str:
        """The status with which a run ends."""

        def ended() -> str | None:
            status = self.ask(_RUN, id=run_id)["status"]
            return status if status in _DONE else None

        return wait_until(ended, "the run's end")


@contextmanager
def service(door: FrontDoor) -> Iterator[Webserver]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # Its output goes to a file: nobody reads a pipe here, and the key must not be in it either.
    log = (door.folder / "service.log").open("a")
    process = door.start("dagster", "dev", "-h", "127.0.0.1", "-p", str(port), log=log)
    webserver = Webserver(process, f"http://127.0.0.1:{port}")
    try:
        wait_until(webserver.is_up, "the webserver")
        yield webserver
    finally:
        if process.poll() is None:
            door.kill(process)
        log.close()


@pytest.fixture
def account() -> Iterator[Emulator]:
    with invoiced_account(customers=10) as emulator:
        yield emulator


@pytest.fixture
def door(tmp_path: Path, account: Emulator) -> Iterator[FrontDoor]:
    with front_door(tmp_path, account) as door:
        door.environment |= {
            "INVOICED_START_DATE": START.isoformat(),
            "DAGSTER_HOME": str(tmp_path),
        }
        yield door


def test_a_backfill_of_all_partitions_from_the_ui(door: FrontDoor, account: Emulator) -> None:
    with service(door) as webserver:
        assets = webserver.tables()
        assert {tuple(asset["assetKey"]["path"]) for asset in assets} == {
            ("invoiced", name) for name in TABLE_NAMES
        }
        keys = assets[0]["partitionKeys"]
        assert (keys[0], keys[-1]) == (f"{START:%Y-%m}-01", f"{_THIS_MONTH:%Y-%m-%d}")
        assert {asset["partitionStats"]["numMaterialized"] for asset in assets} == {0}

        params = {
            "assetSelection": [asset["assetKey"] for asset in assets],
            "partitionNames": keys,
        }
        launched = webserver.ask(_BACKFILL, params=params)
        assert launched["__typename"] == "LaunchBackfillSuccess", launched

        def ended() -> str | None:
            status = webserver.ask(_BACKFILL_STATUS, id=launched["backfillId"])["status"]
            return status if status.startswith(("COMPLETED", "FAILED", "CANCELED")) else None

        assert wait_until(ended, "the backfill's end") == "COMPLETED_SUCCESS"
        for asset in webserver.tables():
            assert asset["partitionStats"] == {
                "numMaterialized": len(keys),
                "numPartitions": len(keys),
                "numFailed": 0,
            }
        # One run for all partitions of all tables.
        assert list(door.runs().values()) == ["SUCCESS"]
        assert webserver.ask(_RUN, id=next(iter(door.runs())))["runConfigYaml"] is not None
    assert door.loaded() == expected(account, int(START.timestamp()))


def test_one_partition_is_repaired_from_the_ui(door: FrontDoor, account: Emulator) -> None:
    """Damage in its window is repaired; other partitions are not read."""
    with service(door) as webserver:
        keys = webserver.tables()[0]["partitionKeys"]
        first, last = keys[0], keys[-1]
        assert webserver.wait_for(webserver.launch_sync(first, last)) == "SUCCESS"
        whole = door.query("select id, updated_at, total from invoices order by id")
        end = datetime.fromisoformat(keys[1]).replace(tzinfo=UTC)
        inside = [row for row in whole if row[1] < end]
        assert len(whole) > len(inside) > 1
        with door.database.session("invoiced") as session:
            session.run("update invoices set total = -1")
            session.run("delete from invoices where id = %s", [inside[0][0]])

        run = webserver.materialize("invoices", first)
        assert webserver.wait_for(run) == "SUCCESS"
        repaired = door.query("select id, updated_at, total from invoices order by id")
        outside = [(record, at, -1) for record, at, _ in whole if at >= end]
        assert repaired == sorted([*inside, *outside])
    log = f"select table_name, mode, status from _sync_log where run_id = '{run}'"
    assert door.query(log) == [("invoices", "window", "succeeded")]


def test_the_service_is_killed_during_a_run(door: FrontDoor, account: Emulator) -> None:
    """Dagster takes the run for running; the next tick runs all the same and marks it as failed."""
    door.environment |= {
        "INVOICED_SCHEDULE_CRON": "* * * * *",
        "INVOICED_SCHEDULE_DIALECT": "unix",
    }
    with service(door) as webserver:
        keys = webserver.tables()[0]["partitionKeys"]
        gate = Gate(account, after=5)
        dead = webserver.launch_sync(keys[0], keys[-1])
        assert gate.reached.wait(DEADLINE)
        door.kill(webserver.process)
        gate.open()
    assert door.runs() == {dead: "STARTED"}
    (reported,) = json.loads(door.run("invoiced-pipeline", "status", "--json", status=1).out)
    assert {table["state"] for table in reported["tables"]} == {"failed"}
    with service(door) as webserver:
        started = webserver.ask(_START_SCHEDULE, selector=_SCHEDULE)
        wait_until(lambda: "SUCCESS" in door.runs().values(), "a start that runs")
        webserver.ask(_STOP_SCHEDULE, id=started["scheduleState"]["id"])
        (reported,) = json.loads(door.run("invoiced-pipeline", "status", "--json").out)
        assert {table["state"] for table in reported["tables"]} <= {"ok", "running"}
        wait_until(lambda: "STARTED" not in door.runs().values(), "the last run's end")
        assert webserver.wait_for(dead) == "FAILURE"
        for asset in webserver.tables():
            assert asset["partitionStats"]["numMaterialized"] == len(keys)
    assert door.loaded() == expected(account, int(START.timestamp()))


def test_a_schedule_of_every_minute(door: FrontDoor, account: Emulator) -> None:
    """Starts that unix cron cannot express; one meets another writer, and the next runs."""
    door.environment |= {
        "INVOICED_SCHEDULE_CRON": "0 * * * * ? 2020-2099",
        "INVOICED_SCHEDULE_DIALECT": "quartz",
    }
    door.warehouse.parent.mkdir()
    with service(door) as webserver:
        with holding(door.database, "of-another-instance", "invoiced"):
            started = webserver.ask(_START_SCHEDULE, selector=_SCHEDULE)
            assert started["__typename"] == "ScheduleStateResult", started
            skipped = wait_until(lambda: webserver.ticks("SKIPPED"), "a start that is left out")
        assert "the last sync has not ended: run of-another-instance" in skipped[0]["skipReason"]
        wait_until(lambda: "SUCCESS" in door.runs().values(), "a start that runs")
        webserver.ask(_STOP_SCHEDULE, id=started["scheduleState"]["id"])
        wait_until(lambda: set(door.runs().values()) == {"SUCCESS"}, "the last run's end")
        ticks = webserver.ticks("SUCCESS")
        assert len(ticks) == len(door.runs())
        assert all(tick["timestamp"] % 60 == 0 for tick in [*ticks, *skipped])
    sql = (
        "select cast(extract(epoch from started_at) as bigint), error from _sync_log "
        "where status = 'skipped'"
    )
    assert (int(skipped[0]["timestamp"]), skipped[0]["skipReason"]) in door.query(sql)
    assert door.loaded() == expected(account, int(START.timestamp()))
