"""`invoiced-pipeline compare`: another tool's replica beside this project's."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from invoiced_pipeline.commands.common.console import errors, say
from invoiced_pipeline.commands.common.options import ConnectionOption, JsonOption
from invoiced_pipeline.commands.common.table_selection import SelectOption, selected_tables
from invoiced_pipeline.commands.compare_output import as_data, show_comparison
from invoiced_pipeline.comparison.comparison import compare_tables
from invoiced_pipeline.comparison.report import TableComparison
from invoiced_pipeline.exceptions import ConfigurationError, InvoicedPipelineError
from invoiced_pipeline.selection.tables import tables_of
from invoiced_pipeline.settings import Settings, load_settings
from invoiced_pipeline.warehouse.database import Session
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline.warehouse.replicas import open_folder, open_schema

_DIFFERENT, _MISTAKE = 1, 2


def compare(  # noqa: PLR0913, PLR0917 - one parameter per option
    schema: Annotated[
        str | None,
        typer.Option(help="The other replica's schema. With --parquet: a subfolder, if any."),
    ] = None,
    attach: Annotated[
        Path | None,
        typer.Option(help="The DuckDB file that holds the schema; the warehouse by default."),
    ] = None,
    parquet: Annotated[
        Path | None,
        typer.Option(help="A folder with a Parquet file or a folder of them for each table."),
    ] = None,
    select: SelectOption = "",
    connection: ConnectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compares rows, versions, columns and totals; exits with 1 if anything differs."""
    with _exit_code_of_mistakes():
        settings = load_settings()
        old = _old_replica(settings, schema, attach, parquet, connection)
        label, found = _compare(settings, old, select, connection)
    if as_json:
        typer.echo(json.dumps(as_data(label, found), indent=2, default=str))
    else:
        show_comparison(label, found)
    if not all(each.is_equal for each in found if each.old_table):
        raise typer.Exit(_DIFFERENT)


def _old_replica(
    settings: Settings,
    schema: str | None,
    attach: Path | None,
    parquet: Path | None,
    connection: str | None,
) -> AbstractContextManager[Session]:
    if attach and parquet:
        message = "--attach and --parquet exclude each other: choose one"
        raise ConfigurationError(message)
    if parquet:
        return open_folder(parquet, schema)
    if not schema:
        message = "Name the other replica: --schema, or --parquet with a folder"
        raise ConfigurationError(message)
    if attach:
        return open_schema(DuckDbDatabase(attach), schema)
    if schema == settings.find(connection).dataset:
        message = f"--schema: {schema} is the dataset itself: name the other tool's schema"
        raise ConfigurationError(message)
    return open_schema(open_database(settings.warehouse), schema)


def _compare(
    settings: Settings,
    old: AbstractContextManager[Session],
    select: str,
    connection: str | None,
) -> tuple[str, list[TableComparison]]:
    """Returns the replicas' names and the compared tables."""
    chosen = settings.find(connection)
    names = selected_tables(settings, chosen, select)
    tables = [table for table in tables_of(settings, chosen) if table.name in names]
    database = open_database(settings.warehouse)
    if not database.exists():
        message = f"There is no {database.label} yet. To fill it: invoiced-pipeline sync"
        raise ConfigurationError(message)
    with (
        old as theirs,
        database.session(chosen.dataset, read_only=True) as ours,
        errors.status("Comparing ..."),
    ):
        found = list(compare_tables(theirs, ours, tables))
        if not any(each.old_table for each in found):
            there = ", ".join(sorted(each.name for each in theirs.relations([theirs.dataset])))
            message = f"{theirs.dataset} has none of the tables {', '.join(names)}, but: {there}"
            raise ConfigurationError(message)
        return f"{theirs.dataset} (old), {chosen.dataset} (new)", found


@contextmanager
def _exit_code_of_mistakes() -> Iterator[None]:
    """Ends with 2: 1 means that the replicas differ."""
    try:
        yield
    except InvoicedPipelineError as error:
        say(errors, str(error), style="red")
        raise typer.Exit(_MISTAKE) from None
