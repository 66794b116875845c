"""The direction in which modules may import each other, and where Dagster is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import invoiced_pipeline

PACKAGE = Path(invoiced_pipeline.__file__).parent
NAME = "invoiced_pipeline"

FOUNDATION = {"settings", "windows", "exceptions"}
MAY_IMPORT = {
    "settings": {"exceptions"},
    "windows": set(),
    "exceptions": set(),
    "catalog": FOUNDATION,
    "invoiced": {"catalog", *FOUNDATION},
    "warehouse": {"catalog", *FOUNDATION},
    "replication": {"invoiced", "warehouse", "catalog", *FOUNDATION},
    "writeback": {"replication", "invoiced", "warehouse", "catalog", *FOUNDATION},
    "scheduling": FOUNDATION,
    "emulator": {"catalog"},  # it must not agree with the client by sharing its code
}
"""What each part may import, from the bottom up; definitions and commands may import all."""

HAVE_DAGSTER = {"defs", "definitions", "cli"}
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def part_of(module: Path) -> str:
    return module.parts[0].removesuffix(".py")


def imported(module: Path) -> Iterator[str]:
    """Names of all modules that `module` imports, wherever in the file."""
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_dagster_stays_at_the_edge(module: Path) -> None:
    if part_of(module) in HAVE_DAGSTER:
        return
    roots = {name.split(".")[0] for name in imported(module)}
    assert not {root for root in roots if root.startswith("dagster")}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_point_downwards(module: Path) -> None:
    part = part_of(module)
    if part not in MAY_IMPORT:
        return
    parts = {name.split(".")[1] for name in imported(module) if name.startswith(f"{NAME}.")}
    assert parts <= {part} | MAY_IMPORT[part]


def test_every_part_has_its_place() -> None:
    known = MAY_IMPORT.keys() | HAVE_DAGSTER | {"__init__", "commands", "demo", "terminal"}
    assert {part_of(module) for module in MODULES} <= known
