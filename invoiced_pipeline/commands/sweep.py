"""`invoiced-pipeline sweep`: compares the warehouse's rows with the API's records."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer

from invoiced_pipeline.commands.common.console import console, errors, say
from invoiced_pipeline.commands.common.grid import Grid
from invoiced_pipeline.commands.common.options import ConnectionOption, JsonOption
from invoiced_pipeline.commands.common.progress import reading_progress
from invoiced_pipeline.commands.common.table_selection import SelectOption, selected_tables
from invoiced_pipeline.defs.assembly import project_definitions
from invoiced_pipeline.defs.launch.instance import open_instance
from invoiced_pipeline.defs.launch.launch import run_sweep
from invoiced_pipeline.settings import load_settings


def sweep(
    select: SelectOption = "",
    allow_share: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Largest share of a table's rows that this sweep may mark as deleted; that of "
            "the settings by default.",
        ),
    ] = None,
    connection: ConnectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Runs the sweep job in this process and shows its counts."""
    settings = load_settings()
    chosen = settings.find(connection)
    tables = selected_tables(settings, chosen, select)
    settings.api_key(chosen)
    definitions = project_definitions(settings)
    with open_instance(settings) as instance, reading_progress(settings, "sweep"):
        result = run_sweep(definitions, chosen, instance, tables=tables, allow_share=allow_share)
    if as_json:
        typer.echo(json.dumps(asdict(result), default=str))
    else:
        _show(result.tables)
        if result.error:
            say(errors, f"Run {result.run_id} failed: {result.error}", style="red")
    if result.error:
        raise typer.Exit(1)


def _show(tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Prints what a sweep found, table by table."""
    if not tables:
        return
    grid = Grid("Compared with the API", optional=("requests", "seconds"))
    grid.add_column("table", no_wrap=True)
    for heading in ("rows", "listed", "gone", "brought", "requests", "seconds"):
        grid.add_column(heading, justify="right")
    for name, metadata in tables.items():
        counts = ("rows", "listed", "deleted_rows", "rows_loaded", "requests")
        seconds = f"{metadata['seconds']:.1f}"
        grid.add_row(name, *(f"{metadata[count]:,}" for count in counts), seconds)
    console.print(grid)
