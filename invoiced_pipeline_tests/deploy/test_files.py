"""Each file is accepted by the program that reads it, without a network."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._core.instance.ref import InstanceRef

from invoiced_pipeline.defs.launch.home import DAGSTER_YAML
from invoiced_pipeline.settings import load_settings
from invoiced_pipeline_tests.deploy.scratch_root import DEPLOY
from invoiced_pipeline_tests.deploy.units import UNITS
from invoiced_pipeline_tests.processes import BINARIES, REPOSITORY

HIGHEST_EXPOSURE = 20
"""Of 100, in the judgement of `systemd-analyze security`."""


def checked(*command: str | Path, folder: Path = REPOSITORY) -> str:
    """What a validator prints; it must find nothing wrong."""
    done = subprocess.run(  # noqa: S603 - a validator, with arguments of ours
        [str(each) for each in command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def program(name: str, why: str) -> str:
    """The path of a program of this machine; without it the test is skipped."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name}, which {why}")
    return found


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units' folder, with programs that exist."""
    folder = Path(shutil.copytree(UNITS, tmp_path / "units"))
    for unit in folder.glob("*.service"):
        text = unit.read_text().replace("/opt/invoiced-pipeline/.venv/bin", str(BINARIES))
        unit.write_text(text.replace("/opt/invoiced-pipeline", str(REPOSITORY)))
    return folder


def test_units_are_valid(units: Path) -> None:
    analyze = program("systemd-analyze", "verifies units")
    names = sorted(path.name for path in units.glob("invoiced*.*") if path.is_file())
    assert len(names) == 5
    assert checked(analyze, "verify", "--man=no", *(f"./{name}" for name in names), folder=units) \
        == ""  # fmt: skip


def test_units_may_do_little(units: Path) -> None:
    analyze = program("systemd-analyze", "rates units")
    limit = f"--threshold={HIGHEST_EXPOSURE}"
    names = sorted(f"./{path.name}" for path in units.glob("*.service"))
    checked(analyze, "security", "--offline=true", "--no-pager", limit, *names, folder=units)


def test_caddy_needs_a_password(tmp_path: Path) -> None:
    caddy = program("caddy", "reads the Caddyfile")
    text = (UNITS / "Caddyfile").read_text()
    untouched, edited = tmp_path / "untouched", tmp_path / "edited"
    untouched.write_text(text)
    edited.write_text(text.replace("<hash>", f"$2a$14${'a' * 53}"))
    command = ("env", f"HOME={tmp_path}", caddy, "validate", "--adapter", "caddyfile", "--config")
    assert "Valid configuration" in checked(*command, edited)
    with pytest.raises(AssertionError, match="password"):
        checked(*command, untouched)


def test_dockerfile_is_valid() -> None:
    assert checked(BINARIES / "hadolint", DEPLOY / "containers" / "Dockerfile") == ""


def test_compose_file_is_valid() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    checked(BINARIES / "check-jsonschema", *schema, DEPLOY / "containers" / "compose.yaml")


@pytest.mark.parametrize(
    "path", sorted(DEPLOY.rglob("dagster.yaml")), ids=lambda path: path.parent.name
)
def test_instance_is_valid(path: Path) -> None:
    InstanceRef.from_dir(str(path.parent))


def test_containers_keep_dagsters_settings() -> None:
    given = yaml.safe_load((DEPLOY / "containers" / "dagster.yaml").read_text())
    usual = yaml.safe_load(DAGSTER_YAML)
    assert given == {**usual, "storage": given["storage"]}


def manifest(deployment: dict[str, Any]) -> dict[str, Any]:
    """The Kubernetes deployment that the chart makes of one in the values."""
    probe = {**deployment["startupProbe"], "exec": {"command": ["true"]}}
    del probe["enabled"]
    image = deployment["image"]
    container = {
        "name": "dagster-user-deployments",
        "image": f"{image['repository']}:{image['tag']}",
        "imagePullPolicy": image["pullPolicy"],
        "args": deployment["codeServerArgs"],
        "envFrom": [{"secretRef": each} for each in deployment["envSecrets"]],
        "startupProbe": probe,
        **{key: deployment[key] for key in ("securityContext", "resources", "volumeMounts")},
    }
    labels = {"deployment": deployment["name"]}
    pod = {
        "securityContext": deployment["podSecurityContext"],
        "volumes": deployment["volumes"],
        "containers": [container],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": deployment["name"]},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def test_kubernetes_accepts_the_settings_and_the_code_server(tmp_path: Path) -> None:
    values = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text())
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    made = tmp_path / "deployment.yaml"
    made.write_text(yaml.safe_dump(manifest(deployment)))
    files = (DEPLOY / "kubernetes" / "settings.yaml", made)
    validate = (sys.executable, "-m", "kubernetes_validate", "--strict", "--quiet")
    checked(*validate, *files)


def toml_files() -> dict[str, str]:
    settings = yaml.safe_load((DEPLOY / "kubernetes" / "settings.yaml").read_text())
    return {
        "containers": (DEPLOY / "containers" / "invoiced.example.toml").read_text(),
        "kubernetes": settings["data"]["invoiced.toml"],
    }


@pytest.mark.parametrize("size", ["containers", "kubernetes"])
def test_settings_are_valid(size: str, tmp_path: Path) -> None:
    (tmp_path / "invoiced.toml").write_text(toml_files()[size])
    server = {"INVOICED_POSTGRES_URL": "postgresql://invoiced@postgres:5432/warehouse"}
    settings = load_settings(server, tmp_path)
    assert settings.warehouse.destination == "postgres"
    assert settings.first.dataset == "invoiced"
