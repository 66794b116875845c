"""A Dagster project of somebody else: the wheel in an environment of its own, as the page says."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import duckdb
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.conftest import NOW, customer, invoice
from invoiced_pipeline_tests.processes import BINARIES, REPOSITORY

PAGE = REPOSITORY / "docs" / "own-project.md"
_FILE = re.compile(r"^```\w+\n(?:#|--) (?P<path>[\w/.]+\.\w+)\n(?P<text>.*?)^```", re.M | re.S)

_MORE = {
    "invoiced.toml": """
[[connection]]
start_date = "2023-01-01"
api_url = "{url}"
[connection.tables]
include = ["customers", "invoices"]
""",
    ".env": "INVOICED_API_KEY={key}\n",
    "models/dbt_project.yml": """
name: finance
version: "1.0"
profile: finance
flags: {{send_anonymous_usage_stats: false}}
""",
    "models/profiles.yml": """
finance:
  target: here
  outputs:
    here: {{type: duckdb, path: ../data/warehouse.duckdb, schema: models}}
""",
}


def files_of_page() -> dict[str, str]:
    """The files that the page shows, by path."""
    found = _FILE.findall(PAGE.read_text(encoding="utf-8"))
    return dict(found)


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """Runs a command, which must succeed, without this project on the path; gives its output."""
    done = subprocess.run(  # noqa: S603 - a command of the new environment
        list(map(str, command)),
        cwd=folder,
        env={"PATH": f"{BINARIES}:/usr/bin:/bin", "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def environment_with_wheel(folder: Path) -> Path:
    """Builds the wheel and installs it into a new environment; gives its folder of programs.

    Third-party packages are those of this environment: installing 150 of them takes minutes. A
    folder named in a `.pth` file has no editable installs, so this project comes from the wheel.
    """
    source = folder / "source"  # a build in the checkout would leave files there for the next one
    for package in ("invoiced_pipeline", "invoiced_emulator"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / package, source / package, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source / name)
    options = ("--wheel", "--no-isolation", "--outdir", folder / "wheel", source)
    run(sys.executable, "-m", "build", *options, folder=folder)
    (wheel,) = (folder / "wheel").glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", folder=folder)
    python = folder / "venv" / "bin" / "python"
    command = (
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
    )
    run(*command, wheel, folder=folder)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


@pytest.mark.slow
def test_the_page_from_a_wheel(emulator: Emulator, tmp_path: Path) -> None:
    emulator.store.put("customers", customer(1, NOW - 1000))
    emulator.store.put("invoices", invoice(2, NOW - 1000, customer=1, balance=70))
    programs, project = environment_with_wheel(tmp_path), tmp_path / "project"
    python = programs / "python"
    where = "import invoiced_pipeline, invoiced_emulator; print(invoiced_pipeline.__file__)"
    assert str(tmp_path) in run(python, "-c", where, folder=tmp_path)
    assert "invoiced-pipeline emulator" in run(
        programs / "invoiced-pipeline", "emulator", "--help", folder=tmp_path
    )

    more = {
        path: text.format(url=emulator.url, key=emulator.api_key) for path, text in _MORE.items()
    }
    for path, text in (files_of_page() | more).items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)
    home = tmp_path / "home"
    home.mkdir()
    dbt = (python, "-m", "dbt.cli.main", "parse", "--profiles-dir", ".", "--quiet")
    run(*dbt, folder=project / "models")
    dagster = (python, "-m", "dagster")
    variables = {"DAGSTER_HOME": str(home)}
    run(*dagster, "definitions", "validate", "-m", "definitions", folder=project, **variables)
    materialize = (*dagster, "asset", "materialize", "-m", "definitions", "--select")
    ours, theirs = "finance/invoiced/invoices", "finance/receivables"
    month = ("--partition", "2023-11-01")
    run(*materialize, ours, *month, folder=project, **variables)
    run(*materialize, theirs, folder=project, **variables)
    lineage = (*dagster, "asset", "list", "-m", "definitions", "--select")
    upstream = run(*lineage, f"+{theirs}", folder=project, **variables)
    assert ours in upstream.split()
    with duckdb.connect(project / "data" / "warehouse.duckdb", read_only=True) as connection:
        assert connection.sql("select * from models.receivables").fetchall() == [(1, 70)]


def test_the_page_shows_whole_files() -> None:
    files = files_of_page()
    assert set(files) == {
        "definitions.py",
        "models/models/sources.yml",
        "models/models/receivables.sql",
    }
    compile(files["definitions.py"], "definitions.py", "exec")
