"""What is imported when: definitions and quick commands load without what only a run needs."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import invoiced_pipeline
from invoiced_pipeline_tests.each import each

PACKAGE = Path(invoiced_pipeline.__file__).parent

RUN_ONLY = {
    "adbc_driver_postgresql",
    "altair",
    "apprise",
    "dagster_dbt",
    "dagster_dlt",
    "dbt",
    "dlt",
    "duckdb",
    "numpy",
    "pandas",
    "psycopg2",
    "pyarrow",
    "urllib3",
    "uvicorn",
}
"""What only a run needs: together it takes seconds to import."""

P = "invoiced_pipeline"
DOORS = {
    "commands/report.py": {f"{P}.report.page", f"{P}.report.report"},
    "defs/events/sensor.py": {f"{P}.defs.events.tick"},
    "defs/models/build.py": {f"{P}.report.pictures"},
    "defs/models/definitions.py": {f"{P}.defs.models.assets"},
    "defs/resources.py": {f"{P}.invoiced.http.client"},
    "defs/sweep/job.py": {f"{P}.defs.sweep.run"},
    "defs/sync/assets.py": {f"{P}.defs.sync.run"},
    "defs/writeback/job.py": {f"{P}.defs.writeback.run"},
    "warehouse/open.py": {f"{P}.warehouse.duckdb.database", f"{P}.warehouse.postgres.database"},
    "warehouse/duckdb/database.py": {
        f"{P}.warehouse.duckdb.file",
        f"{P}.warehouse.duckdb.pipeline",
    },
    "warehouse/postgres/database.py": {
        f"{P}.warehouse.postgres.pipeline",
        f"{P}.warehouse.postgres.server",
    },
}
"""The only modules that import others of the project within a function, and which."""

MODULES = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))


def loaded(code: str, folder: Path) -> set[str]:
    """Packages that a Python process has loaded after running `code`."""
    script = f"{code}\nimport sys\nsys.stderr.write('\\n'.join(sys.modules))"
    done = subprocess.run(  # noqa: S603 - this Python, and our own script
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stderr.splitlines()}


def command(*arguments: str) -> str:
    return f"from invoiced_pipeline.cli import app\napp({arguments!r}, standalone_mode=False)"


def imported_in_functions(module: str) -> Iterator[str]:
    """The project's modules that a module imports within a function."""
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    for function in (node for node in ast.walk(tree) if isinstance(node, functions)):
        for node in ast.walk(function):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            yield from (name for name in names if name.startswith("invoiced_pipeline"))


def test_definitions_load_without_what_only_a_run_needs(tmp_path: Path) -> None:
    """Every process of Dagster loads them."""
    assert not RUN_ONLY & loaded("import invoiced_pipeline.definitions", tmp_path)


def test_help_loads_neither_dagster_nor_the_settings(tmp_path: Path) -> None:
    assert not (RUN_ONLY | {"dagster", "pydantic"}) & loaded(command("--help"), tmp_path)


@pytest.mark.parametrize(
    ("arguments", "needless"),
    [
        (("schedule", "--count", "1"), RUN_ONLY | {"dagster"}),
        (("init", "new"), RUN_ONLY | {"dagster"}),
        (("status",), RUN_ONLY - {"urllib3"}),  # which Dagster's instance imports
    ],
)
def test_a_quick_command_loads_what_it_needs(
    arguments: tuple[str, ...], needless: set[str], tmp_path: Path
) -> None:
    assert not needless & loaded(command(*arguments), tmp_path)


@each(MODULES)
def test_modules_import_each_other_at_their_top(module: str) -> None:
    assert set(imported_in_functions(module)) == DOORS.get(module, set())


@pytest.mark.parametrize("entry", ["invoiced_pipeline.definitions", "invoiced_pipeline.cli"])
def test_processes_collect_garbage_rarely(entry: str, tmp_path: Path) -> None:
    code = (
        f"import gc, sys, {entry} as entry\nsys.argv[1:] = ['--version']\n"
        "try: getattr(entry, 'main', int)()\nexcept SystemExit: pass\nprint(gc.get_threshold()[0])"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == "50000"
