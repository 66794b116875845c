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

_WORKSPACE = "workspace.yaml"
_MODULE = "invoiced_pipeline.definitions"

_REPOSITORY = "__repository__"
"""Dagster's name for the repository of `Definitions`, which have none."""


def job_origin(job: str, folders: Sequence[Path], default: str) -> RemoteJobOrigin:
    """Returns where the UI finds a job: code location, repository and name.

    Overview, the Jobs list and a job's page leave out runs without it: they group runs by the
    repository in the run's origin.

    Args:
        job: The job's name.
        folders: Where `workspace.yaml` may be, the first one first.
        default: The code location's name where no `workspace.yaml` gives one.
    """
    repository = RemoteRepositoryOrigin(_code_location(folders, default), _REPOSITORY)
    return RemoteJobOrigin(repository, job)


def _code_location(folders: Sequence[Path], default: str) -> CodeLocationOrigin:
    origins = _origins(folders)
    ours = [origin for origin in origins if _loads_our_module(origin)]
    named = [origin for origin in origins if origin.location_name == default]
    # One location alone is ours whatever it loads: a server, or a module that imports ours.
    alone = origins if len(origins) == 1 else ()
    for origin in (*ours, *named, *alone):
        return origin
    return ManagedGrpcPythonEnvCodeLocationOrigin(
        LoadableTargetOrigin(module_name=_MODULE), location_name=default
    )


def _origins(folders: Sequence[Path]) -> Sequence[CodeLocationOrigin]:
    """The code locations of the first `workspace.yaml`; none where `dagster dev` refuses it."""
    path = next((each / _WORKSPACE for each in folders if (each / _WORKSPACE).is_file()), None)
    if path is None:
        return ()
    try:
        return location_origins_from_yaml_paths([str(path)])
    # Dagster's checks, its YAML parser and the file system raise different errors. A sync needs no
    # workspace: starting the UI shows what is wrong with the file.
    except Exception:  # noqa: BLE001
        return ()


def _loads_our_module(origin: CodeLocationOrigin) -> bool:
    # The origin of a server does not say what it loads.
    if not isinstance(origin, ManagedGrpcPythonEnvCodeLocationOrigin):
        return False
    return origin.loadable_target_origin.module_name == _MODULE
