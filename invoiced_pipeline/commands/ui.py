"""`invoiced-pipeline ui`: Dagster's UI and scheduler over the records of these commands."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import load_settings

_SUPERSEDED = "ignore:Function `dev_command` is superseded"
"""`dg dev`, its successor, is in a package that brings 18 others, among them a cloud client."""


def ui(
    port: Annotated[int, typer.Option(help="Port.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Start Dagster's UI and scheduler, with the runs of these commands, until Ctrl-C."""
    settings = load_settings()
    from invoiced_pipeline.defs.home import dagster_home

    home = dagster_home(settings)
    home.prepare()
    project = Path.cwd()
    workspace = project / "workspace.yaml"
    if not workspace.exists():
        workspace = home.folder / "workspace.yaml"
        workspace.write_text(_workspace(project, settings.dagster.code_location), encoding="utf-8")
    if home.hidden_by_dotenv:
        message = (
            ".env sets DAGSTER_HOME, which `dagster dev` follows before anything else, and "
            f"{settings.source} has records of its own in {home.folder}. Set DAGSTER_HOME in the "
            "environment instead of .env"
        )
        raise ConfigurationError(message)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(home.folder),
        "PYTHONWARNINGS": ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), _SUPERSEDED])),
    }
    options = ["-h", host, "-p", str(port), "-w", str(workspace)]
    command = [sys.executable, "-m", "dagster", "dev", *options]
    os.execve(sys.executable, command, environment)  # noqa: S606 - this Python, and our arguments


def _workspace(project: Path, code_location: str) -> str:
    """A workspace file, which is YAML and JSON: it gives the code location its name."""
    module = {
        "module_name": "invoiced_pipeline.definitions",
        "working_directory": str(project),
        "location_name": code_location,
    }
    return json.dumps({"load_from": [{"python_module": module}]}, indent=2) + "\n"
