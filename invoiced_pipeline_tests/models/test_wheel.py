"""The dbt project in a wheel: an installation has it beside the package, as a checkout has it."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from invoiced_pipeline.models.project import PROJECT
from invoiced_pipeline_tests.processes import REPOSITORY

SCRIPT = """
import json
from invoiced_pipeline.models.manifest import read_manifest
from invoiced_pipeline.models.project import PROJECT
files = sorted(str(path.relative_to(PROJECT)) for path in PROJECT.rglob("*") if path.is_file())
print(json.dumps([str(PROJECT), files, sorted(read_manifest("duckdb"))]))
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel holds."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installation")
    without = shutil.ignore_patterns("__pycache__")
    for name in ("dbt_invoiced", "invoiced_emulator", "invoiced_pipeline"):
        shutil.copytree(REPOSITORY / name, source / name, ignore=without)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    _run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), cwd=source)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def test_an_installation_has_the_project(installation: Path) -> None:
    project, files, manifest = json.loads(_run("-P", "-c", SCRIPT, cwd=installation))
    assert Path(project) == installation / "dbt_invoiced"
    made_by_dbt = {"target", "logs", "dbt_packages"}
    own = {
        path
        for path in PROJECT.rglob("*")
        if path.is_file() and not made_by_dbt.intersection(path.parts)
    }
    assert files == sorted(str(path.relative_to(PROJECT)) for path in own)
    assert {"nodes", "sources"} <= set(manifest)


def _run(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(  # noqa: S603 - this Python, in a folder of the test
        [sys.executable, *arguments],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(cwd)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
