"""`invoiced-pipeline demo`: a local Invoiced, a sync, write-backs, questions and a report."""

from collections.abc import Sequence

import typer

from invoiced_pipeline.commands.answers import show_answers
from invoiced_pipeline.commands.common.console import console, errors, say
from invoiced_pipeline.commands.common.table_selection import selected_tables
from invoiced_pipeline.commands.demo_business import do_business
from invoiced_pipeline.commands.demo_invoiced import at_address, local_invoiced, only_demo
from invoiced_pipeline.commands.demo_next_steps import show_next_steps
from invoiced_pipeline.commands.demo_round_trip import push_demo, show_round_trip
from invoiced_pipeline.commands.report import write_report
from invoiced_pipeline.commands.sync import (
    build_models_after,
    show_models,
    show_result,
    sync_tables,
)
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import Settings, is_loopback, load_settings
from invoiced_pipeline.warehouse.open import open_database


def demo() -> None:
    """Starts the emulator, creates records in it, and replicates them."""
    settings = load_settings()
    connection = settings.first
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
        _replicate(at_address(settings, invoiced.url))


def _replicate(settings: Settings) -> None:
    """Syncs, pushes the write-backs, syncs what they wrote, and shows it all."""
    connection = settings.first
    tables = selected_tables(settings, connection, "")
    result = sync_tables(settings, connection, tables, mode="sync")
    show_result(settings, connection, result)
    if result.error:
        raise typer.Exit(1)
    run_ids = [result.run_id]
    error = push_demo(settings)
    if error is None and settings.writeback:
        written = sync_tables(settings, connection, tables, mode="sync")
        error = written.error
        run_ids.append(written.run_id)
    if error:
        say(errors, error, style="red")
        raise typer.Exit(1)
    if settings.writeback:
        show_round_trip(settings)
    show_answers(settings, connection)
    _build_models(settings, run_ids)
    report = write_report(settings, connection)
    show_next_steps(settings)
    say(console, f"\nReceivables and the pipeline in pictures: {report}")


def _build_models(settings: Settings, run_ids: Sequence[str]) -> None:
    """Builds the models once if any of the syncs changed rows."""
    console.print("Building the models of receivables, cash and recurring revenue ...")
    builds = (build_models_after(settings, settings.first, run_id) for run_id in run_ids)
    models = next(filter(None, builds), None)
    if models is None:
        return
    show_models(models)
    if models.error:
        raise typer.Exit(1)
