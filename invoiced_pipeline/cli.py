"""The command `invoiced-pipeline`."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from invoiced_pipeline.commands.check import check
from invoiced_pipeline.commands.emulator import emulator
from invoiced_pipeline.commands.init import init
from invoiced_pipeline.commands.move import move
from invoiced_pipeline.commands.new_warehouse import show_new_warehouse
from invoiced_pipeline.commands.old_runs import delete_old_runs
from invoiced_pipeline.commands.options import ConnectionOption, JsonOption, VersionOption
from invoiced_pipeline.commands.schedule import schedule
from invoiced_pipeline.commands.sql import sql
from invoiced_pipeline.commands.status import status
from invoiced_pipeline.commands.termination import told_of_termination
from invoiced_pipeline.commands.ui import ui
from invoiced_pipeline.commands.writeback import writeback
from invoiced_pipeline.exceptions import InvoicedPipelineError, WarehouseError
from invoiced_pipeline.settings import ConnectionSettings, Settings, load_settings

if TYPE_CHECKING:
    from invoiced_pipeline.defs.launch.launch import SyncResult
    from invoiced_pipeline.replication.report import Mode
    from invoiced_pipeline.warehouse.dataset import RowTotals

app = typer.Typer(
    help="Keeps an Invoiced account and a warehouse in step.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _options(version: VersionOption = False) -> None:
    """Keeps an Invoiced account and a warehouse in step."""


app.command()(init)
app.command()(check)
app.command()(schedule)
app.command()(move)
app.command()(sql)
app.command()(status)
app.command()(ui)
app.command()(delete_old_runs)
app.add_typer(writeback, name="writeback")


@app.command()
def sync(
    select: Annotated[str, typer.Option(help="Tables, separated by commas; all by default.")] = "",
    full: Annotated[
        bool, typer.Option("--full", help="Read everything since the start date again.")
    ] = False,
    connection: ConnectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replicate what changed: what a schedule's tick would run, now."""
    settings = load_settings()
    chosen = settings.find(connection)
    tables = _selected(settings, chosen, select)
    settings.api_key(chosen)
    show_new_warehouse(settings)
    result = _sync(settings, chosen, tables, mode="full" if full else "sync")
    if as_json:
        typer.echo(json.dumps(asdict(result), default=str))
    else:
        _show(settings, chosen, result)
    if result.error:
        raise typer.Exit(1)


def _sync(
    settings: Settings, connection: ConnectionSettings, tables: list[str], *, mode: "Mode"
) -> "SyncResult":
    settings.api_key(connection)
    from invoiced_pipeline.defs.assembly import build_definitions
    from invoiced_pipeline.defs.launch.launch import open_instance, run_sync
    from invoiced_pipeline.terminal import reading_progress

    definitions = build_definitions(settings)
    with open_instance(settings) as instance, reading_progress("sync"):
        return run_sync(definitions, connection, instance, tables=tables, mode=mode)


@app.command()
def sweep(
    select: Annotated[str, typer.Option(help="Tables, separated by commas; all by default.")] = "",
    allow_share: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of a table's rows that may be marked, this once."),
    ] = None,
    connection: ConnectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare ids with the API: mark rows whose records are gone, bring records without a row."""
    settings = load_settings()
    chosen = settings.find(connection)
    tables = _selected(settings, chosen, select)
    settings.api_key(chosen)
    from invoiced_pipeline.defs.assembly import build_definitions
    from invoiced_pipeline.defs.launch.launch import open_instance, run_sweep
    from invoiced_pipeline.terminal import errors, reading_progress, say, show_sweep

    definitions = build_definitions(settings)
    with open_instance(settings) as instance, reading_progress("sweep"):
        result = run_sweep(definitions, chosen, instance, tables=tables, allow_share=allow_share)
    if as_json:
        typer.echo(json.dumps(asdict(result), default=str))
    else:
        show_sweep(result.tables)
        if result.error:
            say(errors, f"Run {result.run_id} failed: {result.error}", style="red")
    if result.error:
        raise typer.Exit(1)


def _show(settings: Settings, connection: ConnectionSettings, result: "SyncResult") -> None:
    from invoiced_pipeline.terminal import console, errors, say, show_sync

    counts = result.tables.values()
    if counts:
        totals = _totals(settings, connection, list(result.tables))
        show_sync(result.tables, totals)
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


def _totals(
    settings: Settings, connection: ConnectionSettings, tables: list[str]
) -> "dict[str, RowTotals]":
    """Rows of the warehouse; none where another program took hold of it after the run."""
    from invoiced_pipeline.warehouse.dataset import row_totals
    from invoiced_pipeline.warehouse.open import open_database

    try:
        return row_totals(open_database(settings.warehouse), connection.dataset, tables)
    except WarehouseError:
        return {}


@app.command()
def demo() -> None:
    """Start a local Invoiced, replicate it, and show what arrived (make run)."""
    settings = load_settings()
    connection = settings.first
    from invoiced_pipeline.demo import at_address, do_business, local_invoiced, only_demo
    from invoiced_pipeline.exceptions import ConfigurationError
    from invoiced_pipeline.settings import is_loopback
    from invoiced_pipeline.terminal import console
    from invoiced_pipeline.warehouse.open import open_database

    if not is_loopback(connection.base_url):
        message = f"The demo is for the local Invoiced, not {connection.base_url}: use make run"
        raise ConfigurationError(message)
    warehouse = open_database(settings.warehouse)
    store = settings.warehouse.path.with_name("emulator.sqlite")
    with (
        only_demo(store.parent),
        local_invoiced(connection.base_url, store, keep=warehouse.exists()) as invoiced,
    ):
        console.print(f"A local Invoiced with made-up records at {invoiced.url} ...")
        if invoiced.note:
            console.print(invoiced.note, highlight=False)
        if invoiced.had_records and warehouse.exists():
            done = do_business(invoiced.url, settings.api_key(connection))
            console.print(f"Since the last sync, in Invoiced: {done}.", highlight=False)
        _show_demo(at_address(settings, invoiced.url))


def _show_demo(settings: Settings) -> None:
    from invoiced_pipeline.commands.next_steps import show_next_steps
    from invoiced_pipeline.commands.round_trip import push_demo, show_round_trip
    from invoiced_pipeline.terminal import errors, say

    connection = settings.first
    tables = _selected(settings, connection, "")
    result = _sync(settings, connection, tables, mode="sync")
    _show(settings, connection, result)
    if result.error:
        raise typer.Exit(1)
    error = push_demo(settings)
    if error is None and settings.writeback:
        error = _sync(settings, connection, tables, mode="sync").error
    if error:
        say(errors, error, style="red")
        raise typer.Exit(1)
    if settings.writeback:
        show_round_trip(settings)
    answers()
    show_next_steps(settings)


@app.command()
def answers(connection: ConnectionOption = None, as_json: JsonOption = False) -> None:
    """Ask the replica: receivables aging, largest open balances, recurring revenue."""
    settings = load_settings()
    from invoiced_pipeline.terminal import show_answer
    from invoiced_pipeline.warehouse.open import open_database
    from invoiced_pipeline.warehouse.sample_queries import answers as ask

    dataset = settings.find(connection).dataset
    database = open_database(settings.warehouse)
    try:
        found = ask(database, dataset, datetime.now(UTC))
    except WarehouseError as error:
        message = f"Cannot read {database.label}: {error}. It is filled by: invoiced-pipeline sync"
        raise WarehouseError(message) from error
    if as_json:
        typer.echo(json.dumps([asdict(answer) for answer in found], default=str))
        return
    for answer in found:
        show_answer(answer)


app.command()(emulator)


def _selected(settings: Settings, connection: ConnectionSettings, select: str) -> list[str]:
    from invoiced_pipeline.exceptions import ConfigurationError
    from invoiced_pipeline.selection.tables import tables_of
    from invoiced_pipeline.settings.suggestions import did_you_mean

    names = [table.name for table in tables_of(settings, connection)]
    chosen = [name.strip() for name in select.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in names]
    if unknown:
        meant = did_you_mean(unknown[0], names)
        message = f"--select: no table {', '.join(unknown)}. There are: {', '.join(names)}"
        if meant:
            message += f".{meant}"
        raise ConfigurationError(message)
    return chosen or names


def main() -> None:
    """Runs a command; an error a person can mend is one message, not a traceback."""
    with told_of_termination():
        try:
            app()
        except InvoicedPipelineError as error:
            typer.secho(f"{error}", fg="red", err=True)
            sys.exit(1)


if __name__ == "__main__":
    main()
