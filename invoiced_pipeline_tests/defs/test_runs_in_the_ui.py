"""Runs of commands, as the UI's pages query them from a webserver."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3

from invoiced_pipeline_tests.front_door import front_door, invoiced_account, wait_until

pytestmark = pytest.mark.slow

_WRITEBACK = """
[[connection]]
[[writeback]]
name = "crm"
operation = "create_customer"
source = "select 'C1' as number, 'Lindenhof' as name"
key = "number"
active = true
"""

_REPOSITORY = {
    "repositoryLocationName": "invoiced_pipeline",
    "repositoryName": "__repository__",
}
_IS_UP = "{ version }"
_TIMELINE = """
query($filter: RunsFilter!) { runsOrError(filter: $filter, limit: 25) { ... on Runs { results {
  id pipelineName status repositoryOrigin { repositoryName repositoryLocationName } } } } }"""
_REPOSITORY_JOBS = """
query($repository: RepositorySelector!) { repositoryOrError(repositorySelector: $repository) {
  ... on Repository { pipelines { name runs(limit: 5) { id status } } } } }"""
_JOB = """
query($selector: PipelineSelector!) { pipelineOrError(params: $selector) {
  ... on Pipeline { runs(limit: 5) { id status } } } }"""
_ASSET = """
query($keys: [AssetKeyInput!]!) { assetsLatestInfo(assetKeys: $keys) {
  latestRun { id status } latestMaterialization { runId } } }"""
_RUN = """
query($id: ID!) { runOrError(runId: $id) { ... on Run {
  canTerminate hasReExecutePermission parentPipelineSnapshotId pipelineSnapshotId
  assetSelection { path } } } }"""
_RELAUNCH = """
mutation($id: String!) { launchRunReexecution(reexecutionParams: {
  parentRunId: $id, strategy: ALL_STEPS }) {
  __typename ... on LaunchRunSuccess { run { id } } ... on PythonError { message } } }"""


class Pages:
    """The webserver's GraphQL, and the run of each command.

    Attributes:
        runs: Ids by job.
    """

    def __init__(self, url: str, runs: dict[str, str]) -> None:
        self._url = url
        self.runs = runs

    def ask(self, query: str, **variables: Any) -> Any:
        body = {"query": query, "variables": variables}
        answer = urllib3.request("POST", f"{self._url}/graphql", json=body, timeout=120).json()
        assert "errors" not in answer, answer
        (result,) = answer["data"].values()
        return result

    def is_up(self) -> bool:
        with suppress(urllib3.exceptions.HTTPError):
            return bool(self.ask(_IS_UP))
        return False


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    folder = tmp_path_factory.mktemp("ui")
    with invoiced_account(customers=3) as account, front_door(folder, account) as door:
        start = datetime.now(UTC) - timedelta(days=40)
        door.environment["INVOICED_START_DATE"] = start.isoformat()
        (folder / "invoiced.toml").write_text(_WRITEBACK)
        commands = {
            "invoiced_sync": ("sync",),
            "invoiced_sweep": ("sweep",),
            "writeback_crm": ("writeback", "push", "crm"),
        }
        runs = {
            job: json.loads(door.run("invoiced-pipeline", *command, "--json").out)["run_id"]
            for job, command in commands.items()
        }
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        door.environment["DAGSTER_HOME"] = str(folder)
        with (folder / "webserver.log").open("a") as log:
            process = door.start("dagster-webserver", "-h", "127.0.0.1", "-p", str(port), log=log)
            pages = Pages(f"http://127.0.0.1:{port}", runs)
            wait_until(pages.is_up, "the webserver")
            yield pages
            door.kill(process)


def test_overview_groups_them_under_the_code_location(pages: Pages) -> None:
    found = pages.ask(_TIMELINE, filter={"statuses": ["SUCCESS"]})["results"]
    assert {run["pipelineName"]: run["id"] for run in found} == pages.runs
    assert all(run["repositoryOrigin"] == _REPOSITORY for run in found)


def test_the_jobs_list_and_a_jobs_page_have_them(pages: Pages) -> None:
    jobs = pages.ask(_REPOSITORY_JOBS, repository=_REPOSITORY)["pipelines"]
    latest = {job["name"]: [run["id"] for run in job["runs"]] for job in jobs if job["runs"]}
    assert latest == {job: [run_id] for job, run_id in pages.runs.items()}
    for job, run_id in pages.runs.items():
        found = pages.ask(_JOB, selector={**_REPOSITORY, "pipelineName": job})["runs"]
        assert found == [{"id": run_id, "status": "SUCCESS"}]
        label = {"key": ".dagster/repository", "value": "__repository__@invoiced_pipeline"}
        tagged = pages.ask(_TIMELINE, filter={"pipelineName": job, "tags": [label]})["results"]
        assert [run["id"] for run in tagged] == [run_id]


def test_an_assets_page_has_them(pages: Pages) -> None:
    (info,) = pages.ask(_ASSET, keys=[{"path": ["invoiced", "invoices"]}])
    sync = pages.runs["invoiced_sync"]
    assert info["latestRun"] == {"id": sync, "status": "SUCCESS"}
    assert info["latestMaterialization"] == {"runId": sync}


def test_a_runs_page_offers_to_run_it_again(pages: Pages) -> None:
    run = pages.ask(_RUN, id=pages.runs["invoiced_sync"])
    assert not run["canTerminate"]
    assert run["hasReExecutePermission"]
    again = pages.ask(_RELAUNCH, id=pages.runs["invoiced_sync"])
    assert again["__typename"] == "LaunchRunSuccess", again
    found = pages.ask(_TIMELINE, filter={"runIds": [again["run"]["id"]]})["results"]
    assert found[0]["pipelineName"] == "invoiced_sync"
