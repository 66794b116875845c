"""`invoiced-pipeline check`: tests connections, schedules and the destination."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime

import typer

from invoiced_pipeline.commands.check_counts import with_rows
from invoiced_pipeline.commands.common.console import console, say
from invoiced_pipeline.commands.common.options import ConnectionsOption, JsonOption
from invoiced_pipeline.commands.common.places import settings_place
from invoiced_pipeline.commands.common.row_totals import known_totals
from invoiced_pipeline.exceptions import ConfigurationError, InvoicedPipelineError
from invoiced_pipeline.invoiced.connection_check import (
    Finding,
    check_events,
    check_first_load,
    check_tables,
)
from invoiced_pipeline.invoiced.http.client import InvoicedClient, Patience
from invoiced_pipeline.scheduling.schedule import connection_schedule
from invoiced_pipeline.selection.clear_copies import clear_copies
from invoiced_pipeline.selection.privacy import privacy_of
from invoiced_pipeline.selection.tables import tables_of
from invoiced_pipeline.settings import (
    RENAME_ADVICE,
    ConnectionSettings,
    Settings,
    ambiguous_name,
    load_settings,
)
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline.warehouse.start_date import default_start_date
from invoiced_pipeline.writeback.source.allowed_numbers import (
    allowed_note,
    check_allowed_numbers,
)
from invoiced_pipeline.writeback.source.operation import operation_of


def check(connection: ConnectionsOption = None, as_json: JsonOption = False) -> None:
    """Runs all checks and shows what they found; exits with 1 if one found a problem."""
    settings = load_settings()
    chosen = settings.connection if connection is None else [settings.find(connection)]
    destination = _of_destination(settings)
    findings = [
        replace(finding, connection=each.name)
        for each in chosen
        for finding in _of_connection(settings, each, is_readable=not destination.problem)
    ]
    findings += _of_allowed_numbers(settings)
    findings.append(_of_settings(settings))
    findings.append(destination)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        _show(findings, with_names=len(chosen) > 1)
    if any(finding.problem for finding in findings):
        raise typer.Exit(1)


def _show(findings: list[Finding], *, with_names: bool) -> None:
    shown: str | None = None
    for finding in findings:
        if with_names and finding.connection not in {None, shown}:
            shown = finding.connection
            say(console, shown or "", style="bold")
        mark = "[red]✗[/]" if finding.problem else "[green]✓[/]"
        mark = "[yellow]![/]" if finding.unavailable else mark
        what = f"{finding.problem}: {finding.detail}" if finding.problem else finding.detail
        console.print(f"{mark} {finding.subject}: ", end="")
        say(console, what)


def _of_connection(
    settings: Settings, connection: ConnectionSettings, *, is_readable: bool
) -> Iterator[Finding]:
    try:
        client = InvoicedClient(
            connection.base_url,
            settings.api_key(connection),
            patience=Patience(attempts=2, connect_seconds=5, read_seconds=20),
            proxy=connection.proxy,
        )
    except InvoicedPipelineError as error:
        yield Finding("connection", "no key", str(error))
    else:
        yield from _of_api(settings, connection, client, is_readable=is_readable)
        client.close()
    yield _of_schedule(settings, connection)


def _of_api(
    settings: Settings,
    connection: ConnectionSettings,
    client: InvoicedClient,
    *,
    is_readable: bool,
) -> Iterator[Finding]:
    try:
        tables = tables_of(settings, connection)
    except ConfigurationError as error:
        yield Finding("tables", "bad selection", str(error))
        return
    try:
        privacy_of(connection, settings.hash_salt)
    except ConfigurationError as error:
        yield Finding("tables", "no salt", str(error))
    if clear := clear_copies(settings, connection):
        yield Finding("tables", "copy in clear", clear)
    since = connection.start_date or default_start_date(
        open_database(settings.warehouse), connection.dataset
    )
    found = list(check_tables(client, tables, since))
    if not any(finding.subject == "connection" for finding in found):
        way = " through the proxy" if connection.proxy else ""
        yield Finding("connection", None, f"{connection.base_url} accepts the key{way}")
    by_name = {table.name: table for table in tables}
    totals = known_totals(settings, connection, list(by_name)) if is_readable else {}
    yield from (with_rows(finding, by_name.get(finding.subject), totals) for finding in found)
    is_asked = connection.deletions != "ignore" and all(each.problem is None for each in found)
    events = check_events(client) if is_asked else None
    if events is not None:
        yield events
    load = check_first_load(client, tables, found, since)
    if load is not None:
        yield load


def _of_schedule(settings: Settings, connection: ConnectionSettings) -> Finding:
    try:
        schedule = connection_schedule(settings, connection)
    except ConfigurationError as error:
        return Finding("schedule", "bad cron", str(error))
    start = next(schedule.starts_after(datetime.now(UTC)), None)
    if start is None:
        return Finding("schedule", "no start any more", schedule.describe())
    after = f"next start {start:%Y-%m-%d %H:%M} UTC, where it is turned on"
    return Finding("schedule", None, f"{schedule.describe()}: {after}")


def _of_allowed_numbers(settings: Settings) -> Iterator[Finding]:
    for each in settings.writeback:
        subject = f"write-back {each.name}"
        try:
            check_allowed_numbers(each, operation_of(each))
        except ConfigurationError as error:
            yield Finding(subject, "unknown field", str(error))
            continue
        note = allowed_note(each)
        if note is not None:
            yield Finding(subject, None, note)


def _of_settings(settings: Settings) -> Finding:
    return Finding("settings", None, settings_place(settings))


def _of_destination(settings: Settings) -> Finding:
    try:
        database = open_database(settings.warehouse)
        database.check_writable()
        storage = database.storage_format()
    except InvoicedPipelineError as error:
        return Finding("destination", "destination not writable", str(error))
    detail = f"{database.label} is writable"
    if not database.exists():
        return Finding("destination", None, f"{detail}; the first sync creates it")
    if database.kind == "duckdb" and (
        warning := ambiguous_name(settings.warehouse.path, settings.connection)
    ):
        detail += f". Note: {warning}. {RENAME_ADVICE}"
    if storage is None:
        return Finding("destination", None, detail)
    detail += f". Storage version {storage.version}: {storage.readers} can open it"
    wanted = settings.warehouse.storage_version
    if storage.version != wanted:
        detail += f". To convert it: invoiced-pipeline move --storage-version {wanted}"
    return Finding(
        "destination",
        None,
        detail,
        storage_version=storage.version,
        readers=storage.readers,
    )
