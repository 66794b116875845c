"""Whether a DuckDB file may be called so: DuckDB names a catalog after its file."""

from collections.abc import Sequence
from pathlib import Path

from invoiced_pipeline.settings.connection import ConnectionSettings
from invoiced_pipeline.settings.dataset_limits import DERIVED
from invoiced_pipeline.settings.warehouse import DEFAULT_PATH

RENAME_ADVICE = (
    "It can be used as it is. To rename it: stop Dagster, rename the file and those beside it that "
    "begin with its name, and set warehouse.path"
)


def ambiguous_name(file: Path, connections: Sequence[ConnectionSettings]) -> str | None:
    """Says which schema of a dataset `file` is called like, and what comes of it; else None."""
    stem = file.name.lstrip(".").split(".")[0].lower()
    schemas = {f"{each.dataset}{ending}" for each in connections for ending in ("", *DERIVED)}
    if stem not in schemas:
        return None
    return (
        f"{file} is called like the schema {stem!r}. DuckDB names a catalog after its file, so "
        f"{stem}.invoices could mean either: it is refused as ambiguous, and views that name it "
        "break"
    )


def refused_name(file: Path, connections: Sequence[ConnectionSettings]) -> str | None:
    """Says why no new file may be called so; None where it may be, or is there already."""
    problem = None if file.exists() else ambiguous_name(file, connections)
    if problem is None:
        return None
    other = other_name(file.with_name(DEFAULT_PATH.name), connections)
    return f"{problem}. Give the new file another name, such as {other}"


def other_name(file: Path, connections: Sequence[ConnectionSettings]) -> Path:
    """The file, or the same with another name where a schema has that one."""
    names = (file.name, "replica.duckdb", "replica_file.duckdb")
    files = [file.with_name(name) for name in names]
    return next(each for each in files if ambiguous_name(each, connections) is None)
