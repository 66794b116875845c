"""The image and the Compose file: the Dockerfile's steps, and the services' commands."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.defs.test_service import Webserver
from invoiced_pipeline_tests.deploy.image import Image, build, secrets_exported
from invoiced_pipeline_tests.deploy.scratch_root import DEPLOY
from invoiced_pipeline_tests.deploy.services import free_port, stop, wait_for_daemons
from invoiced_pipeline_tests.front_door import (
    KEY,
    SECRETS,
    FrontDoor,
    expected,
    invoiced_account,
    wait_until,
)
from invoiced_pipeline_tests.postgres_server import new_database

CONTAINERS = DEPLOY / "containers"
COMPOSE: dict[str, Any] = yaml.safe_load((CONTAINERS / "compose.yaml").read_text())
_MONTH = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
START = (_MONTH - timedelta(days=1)).replace(day=1)
"""The start date: there are two partitions."""


def check_image(image: Image) -> None:
    assert image.run("invoiced-pipeline", "--version").startswith("invoiced-pipeline ")
    where = "import invoiced_pipeline as p, invoiced_emulator as e; print(p.__file__, e.__file__)"
    packages = image.under("/opt/invoiced-pipeline/.venv/lib")
    found = image.run(str(packages.parent / "bin" / "python"), "-c", where).split()
    assert all(Path(each).is_relative_to(packages) for each in found)
    assert image.user.isdecimal()
    assert image.user != "0"
    assert {path.name for path in image.under("/etc/invoiced-pipeline").iterdir()} == set()
    names = {path.name for path in image.under("/opt/invoiced-pipeline").iterdir()}
    assert not names & {".env", ".git", "data", "invoiced_pipeline_tests"}


def test_image_works_with_the_packages_of_this_environment(tmp_path: Path) -> None:
    image = build(tmp_path, with_packages=False)
    check_image(image)
    # A secret's last line break is not a part of it, and nothing is printed.
    run = secrets_exported(image, {"INVOICED_API_KEY": f"{KEY}\n"}, tmp_path / "secrets")
    assert image.run(*run, "true") == ""
    read = "import os; print(repr(os.environ['INVOICED_API_KEY']))"
    assert image.run(*run, "python", "-c", read) == f"{KEY!r}\n"


@pytest.mark.slow
def test_image_works_with_the_packages_of_the_lock_file(tmp_path: Path) -> None:
    image = build(tmp_path, with_packages=True)
    check_image(image)
    image.run("python", "-m", "pip", "check")
    assert "dagster_postgres" in image.run("python", "-c", "import dagster_postgres as p; print(p)")


def test_only_services_that_execute_runs_know_the_api_key() -> None:
    knowing = {
        name
        for name, service in COMPOSE["services"].items()
        if "INVOICED_API_KEY" in service.get("secrets", [])
    }
    assert knowing == {"code", "worker"}
    for service in COMPOSE["services"].values():
        assert set(service.get("secrets", [])) <= COMPOSE["secrets"].keys()
        assert not any("PASSWORD" in name and not name.endswith("_FILE")
                       for name in service.get("environment", {}))  # fmt: skip


@pytest.fixture
def account() -> Iterator[Emulator]:
    with invoiced_account(customers=2) as emulator:
        yield emulator


@pytest.fixture
def secrets(postgres_url: str) -> Iterator[dict[str, str]]:
    """Those of the Compose file, for two databases of the tests' server."""
    with new_database(postgres_url) as warehouse, new_database(postgres_url) as records:
        yield {
            "INVOICED_API_KEY": KEY,
            "INVOICED_POSTGRES_URL": warehouse,
            "DAGSTER_POSTGRES_URL": records,
        }


def commands(image: Image, ports: dict[str, str]) -> dict[str, list[str]]:
    """The command lines of Dagster's three services, with ports that are free."""

    def here(command: list[str]) -> list[str]:
        return [ports.get(each, each) for each in command]

    services = COMPOSE["services"]
    return {
        name: here(services[name].get("command", image.command))
        for name in ("code", "webserver", "daemon")
    }


@pytest.mark.slow
@pytest.mark.duckdb("the containers have a server")
def test_services_execute_a_sync(
    tmp_path: Path, account: Emulator, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = build(tmp_path / "image", with_packages=False)
    ports = {"3000": str(free_port()), "4000": str(free_port())}
    configure(image, ports["4000"])
    door = FrontDoor(image.folder, {**image.environment, "INVOICED_API_URL": account.url})
    running = []
    url = f"http://127.0.0.1:{ports['3000']}"
    try:
        with (tmp_path / "log").open("a") as log:
            for name, command in commands(image, ports).items():
                given = {key: secrets[key] for key in COMPOSE["services"][name]["secrets"]}
                run = secrets_exported(image, given, tmp_path / "secrets" / name)
                running.append(door.start(*run, *command, log=log))
                if name == "webserver":  # the daemon waits for it
                    wait_until(Webserver(running[-1], url).is_up, "the webserver")
            monkeypatch.setenv("DAGSTER_POSTGRES_URL", secrets["DAGSTER_POSTGRES_URL"])
            wait_for_daemons(image.environment["DAGSTER_HOME"])
            check_health(image, ports)
            webserver = Webserver(running[-1], url)
            run_id = webserver.launch_sync(f"{START.date()}", f"{_MONTH.date()}")
            assert webserver.wait_for(run_id) == "SUCCESS"
            codes = stop(running)
    finally:
        door.close()
    assert set(codes) <= {0, -15, 143}
    door.environment |= {"INVOICED_DESTINATION": "postgres"} | secrets
    assert door.loaded() == expected(account, int(START.timestamp()))
    assert not any(secret in (tmp_path / "log").read_text() for secret in SECRETS)
    # The containers' file system is read-only, but for the data.
    assert {path.name for path in image.folder.iterdir()} == {"invoiced.toml", "workspace.yaml"}


def configure(image: Image, code_port: str) -> None:
    """Puts the configuration of the Compose file in its places."""
    home = image.under("/var/lib/invoiced-pipeline/dagster")
    (home / "dagster.yaml").write_text((CONTAINERS / "dagster.yaml").read_text())
    workspace = (CONTAINERS / "workspace.yaml").read_text()
    workspace = workspace.replace("host: code", "host: 127.0.0.1").replace("4000", code_port)
    (image.folder / "workspace.yaml").write_text(workspace)
    settings = (CONTAINERS / "invoiced.example.toml").read_text()
    path = image.under("/var/lib/invoiced-pipeline")
    settings = settings.replace("/var/lib/invoiced-pipeline", str(path))
    settings = re.sub(r'start_date = ".*"', f'start_date = "{START.date()}"', settings)
    (image.folder / "invoiced.toml").write_text(settings)


def check_health(image: Image, ports: dict[str, str]) -> None:
    """The checks of the code server and of the webserver are content."""
    webserver = [
        re.sub("3000", ports["3000"], each)
        for each in COMPOSE["services"]["webserver"]["healthcheck"]["test"][1:]
    ]
    image.run(*webserver)
    image.run(*(ports.get(each, each) for each in image.health))
