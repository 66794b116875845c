"""The direction in which modules may import each other, and where Dagster is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill

import pytest

import invoiced_emulator
import invoiced_pipeline
from invoiced_pipeline_tests.each import each

PACKAGE = Path(invoiced_pipeline.__file__).parent
NAME = "invoiced_pipeline"

FOUNDATION = (
    "exceptions",
    "exact_json",
    "garbage_collection",
    "json_logs",
    "nesting",
    "plurals",
    "windows",
    "settings",
)
MAY_IMPORT = {
    "exceptions": (),
    "exact_json": (),
    "garbage_collection": (),
    "json_logs": (),
    "nesting": (),
    "plurals": (),
    "windows": (),
    "settings": ("exceptions",),
    "catalog": (),
    "amounts": ("catalog",),
    "selection": (*FOUNDATION, "catalog"),
    "scheduling": FOUNDATION,
    "invoiced": (*FOUNDATION, "catalog"),
    "warehouse": (*FOUNDATION, "catalog", "selection"),
    "comparison": (*FOUNDATION, "catalog", "warehouse"),
    "replication": (*FOUNDATION, "catalog", "selection", "invoiced", "warehouse"),
    "writeback": (*FOUNDATION, "catalog", "selection", "invoiced", "warehouse", "replication"),
    "alerts": FOUNDATION,
    "models": (*FOUNDATION, "catalog", "warehouse"),
    "report": (*FOUNDATION, "catalog", "amounts", "warehouse", "models"),
}
"""What each part may import, from the bottom up; `defs` and `commands` may import all of them."""

LAYERS = {
    "invoiced": "http ← reading ← first_load ← connection_check",
    "warehouse": (
        "added_columns · database · dlt_options · looked_up_columns · "
        "stored_table · version_merge ← replication_pipeline ← comments · dataset · "
        "duckdb · load_errors · partition_rows · postgres · "
        "row_redaction · sample_queries · start_date · table_layout ← "
        "check_memory · conversion · dlt_load · files · marked_views · migration · open · "
        "replicas ← "
        "current_views · deletion_marks · history_views · integrity · stitch_views · "
        "system_tables"
    ),
    "comparison": "keyed_rows · old_table · report · values ← comparison",
    "replication": (
        "availability · decode · failure_list · package · partial_read · partial_visit · "
        "replaced_rows · report · server_clock ← request ← api_counts · dataset_state · "
        "retention ← checks · deletions · hashed_columns · history · rejects ← "
        "documentation · reject_limit · source ← sweep · table ← replication · sync_log ← "
        "replication_load · sync_log_writer"
    ),
    "writeback": "clock · ledger ← source ← validation ← plan ← recovery ← push ← run",
    "alerts": "incident · reasons ← message · state ← delivery",
    "models": "installed · project ← profile · staging ← manifest",
    "report": (
        "colours · formats ← charts ← exhibit · images ← extractions · receivables ← "
        "pictures · report ← page"
    ),
    "defs": (
        "code_location · descriptions · names · partitions ← json_logger · runs · "
        "scheduled_start ← resources ← connection_keys ← "
        "replicated_dataset ← checks ← retention · sync ← "
        "events · lineage · models · status · sweep · writeback ← "
        "alerts ← assembly · launch"
    ),
}
"""The order inside a part, lowest first; a dot is between modules that do not import each other."""

HAVE_DAGSTER = {"defs", "definitions", "cli"}
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def part_of(module: Path) -> str:
    return module.parts[0].removesuffix(".py")


def imported(module: Path) -> Iterator[str]:
    """Names of all modules that `module` imports, anywhere in the file."""
    yield from imported_by(PACKAGE / module)


def imported_by(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@each(MODULES)
def test_dagster_stays_at_the_edge(module: Path) -> None:
    if part_of(module) in HAVE_DAGSTER:
        return
    roots = {name.split(".")[0] for name in imported(module)}
    assert not {root for root in roots if root.startswith("dagster")}


@each(MODULES)
def test_imports_point_downwards(module: Path) -> None:
    part = part_of(module)
    if part not in MAY_IMPORT:
        return
    parts = {name.split(".")[1] for name in imported(module) if name.startswith(f"{NAME}.")}
    assert parts <= {part, *MAY_IMPORT[part]}


def test_every_part_has_its_place() -> None:
    known = MAY_IMPORT.keys() | HAVE_DAGSTER | {"__init__", "commands"}
    assert {part_of(module) for module in MODULES} <= known


def layers(part: str) -> list[list[str]]:
    """The layers of a part, lowest first."""
    return [layer.split(" · ") for layer in LAYERS[part].split(" ← ")]


INNER_MODULES = [
    module for module in MODULES if module.parts[0] in LAYERS and module.parts[1] != "__init__.py"
]


@each(INNER_MODULES)
def test_imports_inside_a_part_point_downwards(module: Path) -> None:
    part, inner = module.parts[0], module.parts[1].removesuffix(".py")
    prefix = f"{NAME}.{part}."
    below: set[str] = set()
    for layer in layers(part):
        if inner in layer:
            break
        below |= set(layer)
    else:
        pytest.fail(f"{part}/{inner} has no place in LAYERS")
    found = {
        name.removeprefix(prefix).split(".")[0]
        for name in imported(module)
        if name.startswith(prefix)
    }
    assert found <= {inner} | below


def picture() -> str:
    """The import rule as CONTRIBUTING.md shows it: each part, and the order inside of it."""
    foundation = ", ".join(FOUNDATION)
    lines = [f"foundation  = {foundation}"]
    for part, parts in MAY_IMPORT.items():
        listed = ", ".join(parts).replace(foundation, "foundation")
        lines.append(f"{part:<11} → {listed or '-'}")
    for part, order in LAYERS.items():
        first, *others = order.split(" ← ")
        lines += ["", f"{part}/"]
        for layer in (first, *(f"← {other}" for other in others)):
            indent = "    " if layer == first else "      "
            lines.append(fill(layer, 96, initial_indent="    ", subsequent_indent=indent))
    return "\n".join(lines)


def test_contributors_see_the_same_picture() -> None:
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert picture() in text


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


@each(MODULES)
def test_only_the_warehouse_knows_which_one_it_is(module: Path) -> None:
    if part_of(module) == "warehouse":
        return
    roots = {name.split(".")[0] for name in imported(module)}
    assert not roots & DRIVERS


@each(MODULES)
def test_statements_are_standard_sql(module: Path) -> None:
    if module.parts[:2] in OWN_DIALECT:
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


EMULATOR = Path(invoiced_emulator.__file__).parent
EMULATOR_MODULES = sorted(path.relative_to(EMULATOR) for path in EMULATOR.rglob("*.py"))
EMULATOR_LAYERS = (
    "protocol", "records", "amounts", "seed", "calls", "lists", "writes", "catalog", "customers",
    "documents", "payments", "subscriptions", "http", "server", "run",
)  # fmt: skip
"""Folders and modules of the emulator, from the bottom up: each imports only what is before it."""
SEED_LAYERS = (
    "simulation", "payments", "documents", "customers", "subscriptions", "examples", "business",
)  # fmt: skip
DOOR = Path("commands", "emulator.py")
"""The only module of the pipeline that imports the emulator."""


@each(MODULES)
def test_the_pipeline_imports_the_emulator_in_one_place(module: Path) -> None:
    roots = {name.split(".")[0] for name in imported(module)}
    assert ("invoiced_emulator" in roots) == (module == DOOR)


@each(EMULATOR_MODULES)
def test_the_emulator_shares_no_code_with_the_pipeline(module: Path) -> None:
    # Otherwise the client would be tested against its own mistakes.
    roots = {name.split(".")[0] for name in imported_by(EMULATOR / module)}
    assert "invoiced_pipeline" not in roots


@each(EMULATOR_MODULES)
def test_imports_within_the_emulator_point_downwards(module: Path) -> None:
    imports = [name.split(".") for name in imported_by(EMULATOR / module)]
    names = [parts[1:] for parts in imports if parts[0] == "invoiced_emulator" and parts[1:]]
    own = part_of(module)
    if own == "__init__":
        assert not names
        return
    below = EMULATOR_LAYERS[: EMULATOR_LAYERS.index(own)]
    assert {parts[0] for parts in names} <= {own, *below}
    if own == "seed":
        inner = module.parts[1].removesuffix(".py")
        if inner != "__init__":
            below = SEED_LAYERS[: SEED_LAYERS.index(inner)]
            assert {parts[1] for parts in names if parts[0] == "seed"} <= {inner, *below}
