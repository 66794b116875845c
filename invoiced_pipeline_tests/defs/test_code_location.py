"""The code location under which the UI lists a command's run."""

from pathlib import Path

import dagster as dg
import pytest

from invoiced_pipeline.defs.code_location import job_origin
from invoiced_pipeline.settings import DagsterSettings, Settings
from invoiced_pipeline_tests.defs.conftest import Service

OURS = """
  - python_module:
      module_name: invoiced_pipeline.definitions
      working_directory: .
      location_name: {name}
"""
OTHER = """
  - python_module: {{module_name: {name}.definitions, location_name: {name}}}
"""
SERVER = """
  - grpc_server: {{host: localhost, port: 4000, location_name: {name}}}
"""


@pytest.mark.parametrize(
    ("workspace", "name"),
    [
        (None, "default"),
        (OURS.format(name="billing"), "billing"),
        (OTHER.format(name="crm") + OURS.format(name="billing"), "billing"),
        # A module that imports ours, and a server whose origin does not name its module.
        (OTHER.format(name="company"), "company"),
        (SERVER.format(name="server"), "server"),
        (SERVER.format(name="one") + SERVER.format(name="default"), "default"),
        (SERVER.format(name="one") + SERVER.format(name="two"), "default"),
        ("  - no_such_kind: 1\n", "default"),
        ("  ] {", "default"),
    ],
    ids=[
        "no file", "ours", "beside another", "imports ours", "server", "named server",
        "unknown servers", "invalid", "not YAML",
    ],
)  # fmt: skip
def test_the_name_comes_from_the_workspace_or_else_the_setting(
    workspace: str | None, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if workspace is not None:
        (tmp_path / "workspace.yaml").write_text(f"load_from:\n{workspace}")
    origin = job_origin("invoiced_sync", Settings(dagster=DagsterSettings(code_location="default")))
    assert origin.repository_origin.get_label() == f"__repository__@{name}"
    assert origin.job_name == "invoiced_sync"


def test_a_sync_and_a_sweep_are_stored_with_their_origin(service: Service) -> None:
    (service.folder / "workspace.yaml").write_text(f"load_from:{OURS.format(name='billing')}")
    for result in (service.sync("plans"), service.sweep("plans")):
        label = {".dagster/repository": "__repository__@billing"}
        (run,) = service.instance.get_runs(dg.RunsFilter([result.run_id], tags=label))
        assert run.remote_job_origin is not None
        assert run.remote_job_origin.job_name == run.job_name
        assert run.remote_job_origin.location_name == "billing"
        assert run.tags["dagster/code_location"] == "billing"
