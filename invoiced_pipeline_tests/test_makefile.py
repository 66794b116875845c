"""The Makefile's commands that need no environment, the lock files, and the commit hooks."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from invoiced_pipeline_tests.front_door import REPOSITORY

LOCK_FILES = ("requirements.lock", "requirements-dev.lock", "requirements-server.lock")

_MAKE = shutil.which("make")
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z0-9, -]+\])?==(\S+)(.*)$", re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout in use."""
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    for name in (".venv/bin/python", ".venv-tap/x", ".ruff_cache/x", "data/.gitkeep"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "data" / "dagster").mkdir()
    for name in ("warehouse.duckdb", "warehouse.duckdb.wal", "dagster/runs.db"):
        (tmp_path / "data" / name).write_text("x")
    return tmp_path


def make(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    if _MAKE is None:
        pytest.skip("there is no make")
    return subprocess.run(  # noqa: S603 - make, in a folder of our own
        [_MAKE, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_clean_keeps_the_warehouse_and_its_ledger(folder: Path) -> None:
    assert make(folder, "clean").returncode == 0
    assert sorted(path.name for path in folder.iterdir()) == ["Makefile", "data"]
    assert (folder / "data" / "warehouse.duckdb").read_text() == "x"
    assert (folder / "data" / "dagster" / "runs.db").exists()


def test_clean_data_deletes_nothing_where_nobody_can_be_asked(folder: Path) -> None:
    done = make(folder, "clean-data")
    assert done.returncode != 0
    for text in ("warehouse.duckdb", "ledger", "doubled", "Nothing was deleted", "YES=1"):
        assert text in done.stdout
    assert (folder / "data" / "warehouse.duckdb").exists()


def test_clean_data_deletes_with_yes(folder: Path) -> None:
    done = make(folder, "clean-data", "YES=1")
    assert done.returncode == 0
    assert "Deleted." in done.stdout
    assert [path.name for path in (folder / "data").iterdir()] == [".gitkeep"]
    assert (folder / ".venv").exists()
    assert "nothing to delete" in make(folder, "clean-data").stdout


def pins(name: str) -> dict[tuple[str, str], str]:
    """The version of every package, by name and marker."""
    text = (REPOSITORY / name).read_text()
    return {
        (package, marker.strip(" ;\\")): version for package, version, marker in _PIN.findall(text)
    }


def named(requirements: list[str]) -> set[str]:
    """The names of requirements."""
    return {re.split(r"[\[<>=; ]", each, maxsplit=1)[0] for each in requirements}


def packages(locked: dict[tuple[str, str], str]) -> set[str]:
    return {package for package, _ in locked}


def test_lock_files_fit_together_and_name_no_index() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = {
        extra: named(each) - {"invoiced-pipeline"}  # extras that contain others
        for extra, each in project["optional-dependencies"].items()
    }
    running, developing, serving = (pins(name) for name in LOCK_FILES)
    assert named(project["dependencies"]) | extras["models"] <= packages(running)
    assert set().union(*extras.values()) <= packages(developing)
    assert extras["alerts"] | extras["celery"] | extras["postgres"] <= packages(serving)
    assert not extras["dev"] & packages(serving)
    versions = {package: version for (package, _), version in developing.items()}
    for locked in (running, serving):
        assert {package: versions[package] for package, _ in locked} == {
            package: version for (package, _), version in locked.items()
        }
    for name in LOCK_FILES:
        text = (REPOSITORY / name).read_text()
        assert "://" not in text
        assert "--index" not in text
        for entry in re.split(r"\n(?=[a-z0-9])", text):
            assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_commit_hooks_run_the_tools_of_make_lint() -> None:
    config = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())
    (local,) = config["repos"]
    hooks = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in local["hooks"]}
    makefile = (REPOSITORY / "Makefile").read_text()
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe is not None
    assert hooks == set(re.findall(r"(?:@|&& )\$\(BIN\)/(\w+)", recipe[1]))
