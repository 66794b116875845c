"""One server: the units' commands run in folders laid out as docs/deploying-server.md says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline_tests.defs.test_service import Webserver
from invoiced_pipeline_tests.deploy import units
from invoiced_pipeline_tests.deploy.scratch_root import under
from invoiced_pipeline_tests.deploy.services import free_port, stop, wait_for_daemons
from invoiced_pipeline_tests.front_door import KEY, FrontDoor, invoiced_account, wait_until
from invoiced_pipeline_tests.processes import BINARIES, REPOSITORY

pytestmark = pytest.mark.duckdb("one server has a file")

NAMES = ("invoiced-webserver.service", "invoiced-daemon.service")


@pytest.fixture
def account() -> Iterator[Emulator]:
    with invoiced_account() as emulator:
        yield emulator


@pytest.fixture
def server(tmp_path: Path, account: Emulator) -> Iterator[FrontDoor]:
    """The project that `init` makes, whose folder commands and units start in."""
    environment = {
        "PATH": f"{BINARIES}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(REPOSITORY),
    }
    folder = Path(under(tmp_path, "/etc/invoiced-pipeline"))
    folder.mkdir(parents=True)
    door = FrontDoor(folder, environment)
    data = under(tmp_path, "/var/lib/invoiced-pipeline")
    door.run("invoiced-pipeline", "init", ".", "--data", data, INVOICED_API_KEY=KEY)
    with (folder / ".env").open("a") as file:
        file.write(f"INVOICED_API_URL={account.url}\n")
    # It creates the run history: two processes that create it at the same time fail.
    door.run("invoiced-pipeline", "status")
    try:
        yield door
        door.assert_no_secret()
    finally:
        door.close()


def test_webserver_and_daemon_run_and_end(
    server: FrontDoor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = str(free_port())
    settings = units.service(NAMES[0])
    assert under(tmp_path, settings["WorkingDirectory"]) == str(server.folder)
    file = Path(under(tmp_path, settings["EnvironmentFile"]))
    variables = {name: value or "" for name, value in dotenv_values(file).items()}
    before = {path.name for path in server.folder.iterdir()}
    server.environment |= variables
    monkeypatch.setenv("DAGSTER_HOME", variables["DAGSTER_HOME"])
    with (tmp_path / "journal").open("a") as journal:
        running = []
        for name in NAMES:
            program, *arguments = units.command(name, tmp_path)
            arguments = [port if argument == "3000" else argument for argument in arguments]
            running.append(server.start(Path(program).name, *arguments, log=journal))
        assert wait_for_daemons(variables["DAGSTER_HOME"]) >= {"SCHEDULER", "SENSOR"}
        webserver = Webserver(running[0], f"http://127.0.0.1:{port}")
        wait_until(webserver.is_up, "the webserver")
        assert {asset["assetKey"]["path"][-1] for asset in webserver.tables()} == set(TABLE_NAMES)
        codes = stop(running)
    assert set(codes) <= {0, -15, 143}
    assert KEY not in (tmp_path / "journal").read_text()
    # The units may not write the settings' folder.
    assert {path.name for path in server.folder.iterdir()} == before
