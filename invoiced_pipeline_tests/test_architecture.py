"""The direction in which modules may import each other, and where Dagster is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import invoiced_pipeline

PACKAGE = Path(invoiced_pipeline.__file__).parent
NAME = "invoiced_pipeline"

FOUNDATION = {"settings", "windows", "exceptions", "exact_json", "nesting", "plurals"}
MAY_IMPORT = {
    "settings": {"exceptions"},
    "windows": set(),
    "exceptions": set(),
    "exact_json": set(),
    "nesting": set(),
    "plurals": set(),
    "catalog": set(),
    "selection": {"catalog", *FOUNDATION},
    "invoiced": {"catalog", *FOUNDATION},
    "warehouse": {"selection", "catalog", *FOUNDATION},
    "replication": {"invoiced", "warehouse", "selection", "catalog", *FOUNDATION},
    "writeback": {"replication", "invoiced", "warehouse", "selection", "catalog", *FOUNDATION},
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


DRIVERS = {"duckdb", "psycopg2", "adbc_driver_manager", "adbc_driver_postgresql"}
DIALECTS = re.compile(
    r"::|\b(?:epoch|date_diff|datediff|strftime|list|mode|any_value|arg_max|read_\w+)\s*\(|"
    r"\bby all\b|\bqualify\b|\bpragma\b|\bduckdb_\w+|\bexclude\s*\(|\bilike\b|\bpg_\w+|\?",
    re.IGNORECASE,
)
"""What only one of the warehouses understands."""
STATEMENT = re.compile(
    r"\s*(?:select\b.*\bfrom|with\b.*\bselect|insert into|update .* set|delete from|"
    r"create (?:table|view|or replace))\b",
    re.IGNORECASE | re.DOTALL,
)
OWN_DIALECT = {("warehouse", "duckdb"), ("warehouse", "postgres"), ("warehouse", "files")}


def statements(module: Path) -> Iterator[str]:
    """Texts of a module that are SQL; what is put into an f-string counts as a name."""
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        text = ""
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "x" for part in node.values]
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        if STATEMENT.match(text):
            yield text


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_only_the_warehouse_knows_which_one_it_is(module: Path) -> None:
    if part_of(module) in {"warehouse", "emulator"}:  # the emulator's store is SQLite
        return
    roots = {name.split(".")[0] for name in imported(module)}
    assert not roots & DRIVERS


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_statements_are_standard_sql(module: Path) -> None:
    if part_of(module) == "emulator" or module.parts[:2] in OWN_DIALECT:
        return
    for statement in statements(module):
        assert not DIALECTS.search(statement), statement


def test_dialects_are_recognised() -> None:
    found = [text for module in MODULES for text in statements(module)]
    assert len(found) > 20
    assert any("_deleted_at" in text for text in found)
    for text in ("select epoch(a)::bigint from t", "select a from t group by all"):
        assert STATEMENT.match(text)
        assert DIALECTS.search(text)
