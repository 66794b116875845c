"""The code location under which Dagster's UI lists a run that a command starts."""

from collections.abc import Sequence
from pathlib import Path

from dagster._core.remote_origin import (
    CodeLocationOrigin,
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.load import location_origins_from_yaml_paths

from invoiced_pipeline.settings import Settings

_MODULE = "invoiced_pipeline.definitions"

_REPOSITORY = "__repository__"
"""Dagster's name for the repository of `Definitions`, which have none."""


def job_origin(job: str, settings: Settings) -> RemoteJobOrigin:
    """Returns where the UI finds a job: code location, repository and name.

    The UI's overview, list of jobs and pages of jobs group runs by the repository in their origin,
    and omit runs without one.

    Args:
        job: The job's name.
        settings: They name the code location, unless a `workspace.yaml` in their folder or in the
            working directory does.
    """
    repository = RemoteRepositoryOrigin(_code_location(settings), _REPOSITORY)
    return RemoteJobOrigin(repository, job)


def workspace_file(settings: Settings) -> Path | None:
    """Returns the project's `workspace.yaml`; None if there is none."""
    files = (folder / "workspace.yaml" for folder in (settings.folder, Path.cwd()))
    return next((file for file in files if file.is_file()), None)


def _code_location(settings: Settings) -> CodeLocationOrigin:
    default = settings.dagster.code_location
    file = workspace_file(settings)
    origins = _origins(file) if file else ()
    ours = [origin for origin in origins if _loads_our_module(origin)]
    named = [origin for origin in origins if origin.location_name == default]
    # A single location must be ours: it may be a server, or a module that imports ours.
    alone = origins if len(origins) == 1 else ()
    for origin in (*ours, *named, *alone):
        return origin
    return ManagedGrpcPythonEnvCodeLocationOrigin(
        LoadableTargetOrigin(module_name=_MODULE), location_name=default
    )


def _origins(path: Path) -> Sequence[CodeLocationOrigin]:
    """Returns the code locations of a workspace; none if `dagster dev` would refuse the file."""
    try:
        return location_origins_from_yaml_paths([str(path)])
    # Dagster's checks, its YAML parser and the file system raise different errors. A sync does not
    # need the workspace, and the UI reports what is wrong with the file.
    except Exception:  # noqa: BLE001
        return ()


def _loads_our_module(origin: CodeLocationOrigin) -> bool:
    # The origin of a server does not say what it loads.
    if not isinstance(origin, ManagedGrpcPythonEnvCodeLocationOrigin):
        return False
    return origin.loadable_target_origin.module_name == _MODULE
