"""`docs/other-warehouses.md` has what dlt declares about other destinations."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import dlt
import dlt.destinations
import pytest

from invoiced_pipeline_tests.front_door import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "other-warehouses.md"
_DLT = Path(dlt.__file__).parent
BEGIN = "<!-- From dlt's declarations; a test compares them. -->\n"
HEAD = (
    "| destination | our merge rule | state | Parquet | JSON | money | times |\n"
    "|---|---|---|---|---|---|---|\n"
)
NAMES = {
    "duckdb": "DuckDB",
    "postgres": "PostgreSQL",
    "motherduck": "MotherDuck",
    "ducklake": "DuckLake",
    "snowflake": "Snowflake",
    "bigquery": "BigQuery",
    "redshift": "Redshift",
    "databricks": "Databricks",
    "clickhouse": "ClickHouse",
    "mssql": "SQL Server",
    "synapse": "Synapse",
    "fabric": "Fabric",
    "athena": "Athena",
    "dremio": "Dremio",
    "filesystem": "files (Delta, Iceberg)",
}
TEXTS = {"string", "varchar", "varchar(max)", "nvarchar(max)"}
COLUMNS: dict[str, dict[str, Any]] = {
    "json": {"name": "x", "data_type": "json"},
    "money": {"name": "x", "data_type": "decimal", "precision": 38, "scale": 10},
    "times": {"name": "x", "data_type": "timestamp", "timezone": True, "precision": 6},
}


def declared(name: str) -> str:
    """A destination's row of the table."""
    capabilities = getattr(dlt.destinations, name)()._raw_capabilities()
    merges = "delete-insert" in (capabilities.supported_merge_strategies or ())
    loads = "parquet" in (capabilities.supported_loader_file_formats or ())
    stages = "parquet" in (capabilities.supported_staging_file_formats or ())
    types = {what: _type(capabilities, column) for what, column in COLUMNS.items()}
    if types["json"].lower() in TEXTS:
        types["json"] = "text"
    cells = [
        NAMES[name],
        "yes" if merges else "no",
        "yes" if keeps_state(name) else "no",
        "yes" if loads else "through a stage" if stages else "no",
        *types.values(),
    ]
    return f"| {' | '.join(cells)} |\n"


def keeps_state(name: str) -> bool:
    """Returns whether a destination returns what a pipeline remembers.

    Read off the sources: most clients cannot be imported without their drivers.
    """
    factory = (_DLT / "destinations" / "impl" / name / "factory.py").read_text(encoding="utf-8")
    ahead = set(re.findall(r"(?:return|else) (\w+Client)\b", factory))
    assert ahead, name
    seen: set[str] = set()
    while ahead:
        seen |= ahead
        ahead = {base for each in ahead for base in bases().get(each, ())} - seen
    return "WithStateSync" in seen


@cache
def bases() -> dict[str, list[str]]:
    """Returns the base classes of dlt's clients, by their names."""
    found: dict[str, list[str]] = {}
    for path in (_DLT / "destinations").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found[node.name] = [ast.unparse(base).split("[")[0] for base in node.bases]
    return found


def _type(capabilities: Any, column: dict[str, Any]) -> str:
    if capabilities.type_mapper is None:
        return "as Parquet has it"
    table = {"name": "t", "file_format": "parquet", "columns": {"x": column}}
    return str(capabilities.type_mapper(capabilities).to_destination_type(column, table))


def table() -> str:
    return HEAD + "".join(map(declared, NAMES))


def test_the_document_says_what_dlt_declares() -> None:
    assert BEGIN + table() in DOCUMENT.read_text(encoding="utf-8"), table()


@pytest.mark.parametrize("name", NAMES)
def test_a_destination_without_our_rule_never_passes(name: str) -> None:
    rule = declared(name).split(" | ")[1]
    assert (rule == "no") == (name == "filesystem")
