"""The demo beside other programs: it shares no emulator or warehouse by accident."""

import re
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
import urllib3

from invoiced_emulator.records.store import Store
from invoiced_emulator.run import fill
from invoiced_emulator.server import Emulator
from invoiced_pipeline.cli import COMMANDS
from invoiced_pipeline.commands.demo_invoiced import at_address, local_invoiced, only_demo
from invoiced_pipeline.commands.demo_next_steps import next_steps
from invoiced_pipeline.exceptions import WarehouseBusyError
from invoiced_pipeline.settings import load_settings
from invoiced_pipeline_tests.front_door import REPOSITORY, front_door


def seeded(folder: Path) -> Path:
    """Creates a small account, so that the emulator does not create a large one."""
    database = folder / "emulator.sqlite"
    store = Store(database)
    fill(store, seed=2, customers=1, now=1_700_000_000)
    store.close()
    return database


def health(url: str) -> Any:
    return urllib3.request("GET", f"{url}/health", timeout=10).json()


def test_a_second_demo_in_one_folder_is_refused(tmp_path: Path) -> None:
    with (
        only_demo(tmp_path / "data"),
        pytest.raises(WarehouseBusyError, match=re.escape(str(tmp_path / "data"))),
        only_demo(tmp_path / "data"),
    ):
        pass
    with only_demo(tmp_path / "data"):
        pass


def test_the_emulator_of_another_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    theirs = tmp_path / "other" / "emulator.sqlite"
    ours = seeded(tmp_path)
    with Emulator(database=theirs) as other:
        with local_invoiced(other.url, ours) as invoiced:
            assert invoiced.url != other.url
            assert health(invoiced.url)["database"] == str(ours)
            assert invoiced.had_records
        assert invoiced.note is not None
        assert str(theirs) in invoiced.note
        assert {path for _, path, _, _ in other.requests} == {"/health"}
        assert health(other.url)["status"] == "ok"


def test_the_emulator_of_this_folder_is_used_and_outlives_the_demo(tmp_path: Path) -> None:
    ours = seeded(tmp_path)
    with Emulator(database=ours) as running:
        with local_invoiced(running.url, ours) as invoiced:
            assert invoiced.url == running.url
            assert "already" in (invoiced.note or "")
        assert health(running.url)["status"] == "ok"


def test_a_port_of_another_program_is_left_alone(tmp_path: Path) -> None:
    ours = seeded(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
        with local_invoiced(url, ours) as invoiced:
            assert (
                invoiced.note == f"{url} belongs to another program, so this one uses a free port."
            )
            assert health(invoiced.url)["database"] == str(ours)


def test_settings_at_another_address(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "demo.toml", tmp_path)
    settings = load_settings({"INVOICED_CONFIG": "demo.toml"}, tmp_path)
    assert settings.first.base_url == "http://127.0.0.1:8085"
    moved = at_address(settings, "http://127.0.0.1:9")
    assert {moved.first.base_url, moved.find(None).base_url} == {"http://127.0.0.1:9"}
    assert settings.first.base_url == "http://127.0.0.1:8085"


def test_the_next_steps_are_commands() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for command in next_steps().values():
        if command.startswith("make "):
            assert command.split()[1] in targets
        else:
            name = re.search(r"invoiced-pipeline ([a-z]+)", command)
            assert name is not None
            assert name[1] in COMMANDS


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with front_door(tmp_path) as door, socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        said = door.run("invoiced-pipeline", "emulator", "--port", port, status=1).err
    assert said.strip() == (
        f"Another program uses port {port}: stop it, or choose another port with --port"
    )


@pytest.mark.slow
@pytest.mark.duckdb("demo.toml names a file")
def test_a_demo_beside_another_one(tmp_path: Path) -> None:
    """The command loads and writes its own account, and prints the next steps."""
    with Emulator() as other, front_door(tmp_path) as door:
        document = (REPOSITORY / "demo.toml").read_text()
        (tmp_path / "demo.toml").write_text(document.replace("http://127.0.0.1:8085", other.url))
        done = door.run("invoiced-pipeline", "demo", INVOICED_CONFIG="demo.toml")
        assert {path for _, path, _, _ in other.requests} == {"/health"}
    said = " ".join(done.out.split())
    assert f"{other.url} belongs to the local Invoiced of :memory:" in said
    assert "Written back to Invoiced" in said
    for what, command in next_steps().items():
        assert what in said
        assert command.rsplit("/", maxsplit=1)[-1] in said
