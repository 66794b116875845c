"""`invoiced-pipeline ui`: Dagster's UI and scheduler, with the run history of these commands."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from invoiced_pipeline.defs.code_location import workspace_file
from invoiced_pipeline.defs.launch.home import dagster_home
from invoiced_pipeline.settings import load_settings

_SUPERSEDED = "ignore:Function `dev_command` is superseded"
"""Its successor `dg dev` is in a package with 17 dependencies, among them a cloud client."""


def ui(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Replaces this process by `dagster dev`, with the settings' home and workspace."""
    settings = load_settings()
    home = dagster_home(settings)
    home.prepare()
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(home.folder),
        "PYTHONWARNINGS": ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), _SUPERSEDED])),
    }
    workspace = workspace_file(settings)
    if workspace is None:
        workspace = home.folder / "workspace.yaml"
        text = _workspace(settings.folder, settings.dagster.code_location)
        workspace.write_text(text, encoding="utf-8")
    if settings.has_file:
        environment["INVOICED_CONFIG"] = str(Path(settings.source).absolute())
    # `dagster dev` lets an .env in its working directory override DAGSTER_HOME, and warns about a
    # dagster.yaml there that it does not use.
    os.chdir(home.folder if home.is_set else settings.folder)
    options = ["-h", host, "-p", str(port), "-w", str(workspace)]
    if settings.logs.format == "json":
        options += ["--log-format", "json"]
    command = [sys.executable, "-m", "dagster", "dev", *options]
    os.execve(sys.executable, command, environment)  # noqa: S606 - this Python, and our arguments


def _workspace(project: Path, code_location: str) -> str:
    """Returns a workspace file, as JSON, which is YAML, too; it names the code location."""
    module = {
        "module_name": "invoiced_pipeline.definitions",
        "working_directory": str(project),
        "location_name": code_location,
    }
    return json.dumps({"load_from": [{"python_module": module}]}, indent=2) + "\n"
