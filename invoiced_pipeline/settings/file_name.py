"""Names of DuckDB files: DuckDB names a catalog after its file, so a schema's name is ambiguous."""

from collections.abc import Sequence
from pathlib import Path

from invoiced_pipeline.settings.connection import ConnectionSettings
from invoiced_pipeline.settings.dataset_limits import DERIVED
from invoiced_pipeline.settings.warehouse import DEFAULT_PATH

RENAME_ADVICE = (
    "It can stay as it is. To rename it, stop Dagster, rename the file and the files beside it "
    "whose names begin with its name, and set warehouse.path"
)


def ambiguous_name(file: Path, connections: Sequence[ConnectionSettings]) -> str | None:
    """Describes the schema that has the same name as `file`, and the effect; None without one."""
    stem = file.name.lstrip(".").split(".")[0].lower()
    schemas = {f"{each.dataset}{ending}" for each in connections for ending in ("", *DERIVED)}
    schemas |= {each.stitch_schema for each in connections if each.stitch_schema}
    if stem not in schemas:
        return None
    return (
        f"{file} has the same name as the schema {stem!r}. DuckDB names a catalog after its file, "
        f"so it rejects {stem}.invoices as ambiguous, and views that use that name break"
    )


def refused_name(file: Path, connections: Sequence[ConnectionSettings]) -> str | None:
    """Explains why a new file must not have this name; None if it may, or if it exists already."""
    problem = None if file.exists() else ambiguous_name(file, connections)
    if problem is None:
        return None
    other = other_name(file.with_name(DEFAULT_PATH.name), connections)
    return f"{problem}. Give the new file another name, such as {other}"


def other_name(file: Path, connections: Sequence[ConnectionSettings]) -> Path:
    """Returns the file, or a path beside it if a schema has its name."""
    names = (file.name, "replica.duckdb", "replica_file.duckdb")
    files = [file.with_name(name) for name in names]
    return next(each for each in files if ambiguous_name(each, connections) is None)
