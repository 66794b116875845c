"""`invoiced-pipeline sync`: replicates what changed."""

import io
import json
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from invoiced_pipeline.commands.common.console import console, errors, say
from invoiced_pipeline.commands.common.grid import Grid
from invoiced_pipeline.commands.common.options import ConnectionOption, JsonOption
from invoiced_pipeline.commands.common.places import announce_warehouse
from invoiced_pipeline.commands.common.progress import reading_progress
from invoiced_pipeline.commands.common.row_totals import known_totals
from invoiced_pipeline.commands.common.table_selection import SelectOption, selected_tables
from invoiced_pipeline.defs.assembly import project_definitions
from invoiced_pipeline.defs.launch.instance import open_instance
from invoiced_pipeline.defs.launch.launch import (
    ModelsResult,
    SyncResult,
    run_models_after,
    run_sync,
)
from invoiced_pipeline.defs.sync.metadata import ROW_COUNT
from invoiced_pipeline.defs.sync.run_config import WhenBusy
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.report import Mode
from invoiced_pipeline.settings import ConnectionSettings, Settings, load_settings
from invoiced_pipeline.warehouse.dataset import RowTotals


def sync(
    select: SelectOption = "",
    full: Annotated[
        bool, typer.Option("--full", help="Read everything since the start date again.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait while another run writes, instead of failing.")
    ] = False,
    connection: ConnectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Runs the sync job in this process and shows what arrived."""
    settings = load_settings()
    chosen = settings.find(connection)
    tables = selected_tables(settings, chosen, select)
    settings.api_key(chosen)
    announce_warehouse(settings)
    mode, when_busy = "full" if full else "sync", "wait" if wait else "fail"
    result = sync_tables(settings, chosen, tables, mode=mode, when_busy=when_busy)
    if not as_json:
        show_result(settings, chosen, result)
    models = None if result.error else build_models_after(settings, chosen, result.run_id)
    if as_json:
        data = asdict(result) | ({"models": asdict(models)} if models else {})
        typer.echo(json.dumps(data, default=str))
    elif models:
        show_models(models)
    if result.error or (models and models.error):
        raise typer.Exit(1)


def sync_tables(
    settings: Settings,
    connection: ConnectionSettings,
    tables: list[str],
    *,
    mode: Mode,
    when_busy: WhenBusy = "fail",
) -> SyncResult:
    """Runs a connection's sync job, with progress on stderr.

    Raises:
        ConfigurationError: The API key, or another setting, is missing or wrong.
    """
    settings.api_key(connection)
    definitions = project_definitions(settings)
    with open_instance(settings) as instance, reading_progress(settings, "sync"):
        return run_sync(
            definitions, connection, instance, tables=tables, mode=mode, when_busy=when_busy
        )


def build_models_after(
    settings: Settings, connection: ConnectionSettings, run_id: str
) -> ModelsResult | None:
    """Builds a connection's models if they are enabled and a sync changed rows; None if not.

    Raises:
        ConfigurationError: A setting is missing or wrong.
    """
    if not settings.models.enabled:
        return None
    definitions = project_definitions(settings)
    # dbt's log would come before the JSON of `--json`; dbt also keeps it beside the warehouse.
    with open_instance(settings) as instance, redirect_stdout(io.StringIO()):
        return run_models_after(definitions, connection, instance, run_id)


def show_models(result: ModelsResult) -> None:
    """Prints which models were built, and what is wrong with them."""
    if result.models:
        console.print(f"{counted(len(result.models), 'model')} built.", highlight=False)
    if result.failed_checks:
        say(errors, f"Tests of models that failed: {', '.join(result.failed_checks)}", style="red")
    if result.error:
        say(errors, f"Run {result.run_id} failed: {result.error}", style="red")


def show_result(settings: Settings, connection: ConnectionSettings, result: SyncResult) -> None:
    """Prints what a sync loaded, and why it failed if it did."""
    counts = result.tables.values()
    if counts:
        known = {name: each[ROW_COUNT] for name, each in result.tables.items()}
        totals = known_totals(settings, connection, list(result.tables), known)
        show_tables(result.tables, totals)
        rows = sum(metadata["rows_loaded"] for metadata in counts)
        deleted = sum(metadata["deleted_rows"] for metadata in counts)
        if rows or deleted:
            console.print(f"{rows:,} loaded, {deleted:,} deleted in Invoiced.", highlight=False)
        elif not result.error:
            is_empty = totals and not any(total.rows for total in totals.values())
            since = "the start date: there are no records" if is_empty else "the last sync"
            console.print(f"Nothing has changed since {since}.")
    if result.error:
        say(errors, f"Run {result.run_id} failed: {result.error}", style="red")


def show_tables(
    tables: Mapping[str, Mapping[str, Any]], totals: Mapping[str, RowTotals] | None = None
) -> None:
    """Prints what arrived, table by table.

    Args:
        tables: Metadata of every complete table.
        totals: Rows of the warehouse; without them, their column is left out.
    """
    known = totals or {}
    has_deletions = any(metadata["deleted_rows"] for metadata in tables.values())
    grid = Grid("What arrived", optional=("partitions", "requests", "seconds"))
    grid.add_column("table", no_wrap=True)
    headings = ["loaded"]
    headings += ["deleted"] if has_deletions else []
    headings += ["in total"] if known else []
    for heading in (*headings, "partitions", "requests", "seconds"):
        grid.add_column(heading, justify="right")
    for name, metadata in tables.items():
        cells = [f"{metadata['rows_loaded']:,}"]
        cells += [f"{metadata['deleted_rows']:,}"] if has_deletions else []
        cells += [f"{known[name].rows:,}"] if known else []
        grid.add_row(
            name,
            *cells,
            str(len(metadata.get("rows_by_partition", {}))),
            f"{metadata['requests']:,}",
            f"{metadata['seconds']:.1f}",
        )
    console.print(grid)
    if note := _deleted_note(known):
        say(console, note)
    until = [metadata.get("covered_until") for metadata in tables.values()]
    ends = [instant for instant in until if instant is not None]
    if ends and len(ends) == len(until):
        instant = datetime.fromtimestamp(min(ends), UTC)
        console.print(f"Complete up to {instant:%Y-%m-%d %H:%M:%S} UTC.", highlight=False)


def _deleted_note(totals: Mapping[str, RowTotals]) -> str | None:
    """Explains why the warehouse holds more rows than Invoiced has records."""
    deleted = {name: total.deleted for name, total in totals.items() if total.deleted}
    if not deleted:
        return None
    where = ", ".join(f"{count:,} of {name}" for name, count in deleted.items())
    return f"In total includes rows of records deleted in Invoiced (_deleted_at is set): {where}."
