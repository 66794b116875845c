"""`invoiced-pipeline check`: tests connections, write-backs and the warehouse."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace

import typer

from invoiced_pipeline.commands.check_alerts import check_alerts
from invoiced_pipeline.commands.check_connection import check_connection
from invoiced_pipeline.commands.check_destination import check_destination
from invoiced_pipeline.commands.common.console import console, say
from invoiced_pipeline.commands.common.options import ConnectionsOption, JsonOption
from invoiced_pipeline.commands.common.places import settings_place
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.invoiced.connection_check import Finding
from invoiced_pipeline.settings import Settings, load_settings
from invoiced_pipeline.writeback.source.allowed_numbers import (
    allowed_note,
    check_allowed_numbers,
)
from invoiced_pipeline.writeback.source.operation import operation_of


def check(connection: ConnectionsOption = None, as_json: JsonOption = False) -> None:
    """Runs all checks and shows what they found; exits with 1 if there is a problem."""
    settings = load_settings()
    chosen = settings.connection if connection is None else [settings.find(connection)]
    destination = check_destination(settings)
    findings = [
        replace(finding, connection=each.name)
        for each in chosen
        for finding in check_connection(settings, each, is_readable=not destination.problem)
    ]
    findings += _check_allowed_numbers(settings)
    findings.append(check_alerts(settings))
    findings.append(Finding("settings", None, settings_place(settings)))
    findings.append(destination)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        _show(findings, with_names=len(chosen) > 1)
    if any(finding.problem for finding in findings):
        raise typer.Exit(1)


def _check_allowed_numbers(settings: Settings) -> Iterator[Finding]:
    for writeback in settings.writeback:
        subject = f"write-back {writeback.name}"
        try:
            check_allowed_numbers(writeback, operation_of(writeback))
        except ConfigurationError as error:
            yield Finding(subject, "unknown field", str(error))
            continue
        note = allowed_note(writeback)
        if note is not None:
            yield Finding(subject, None, note)


def _show(findings: list[Finding], *, with_names: bool) -> None:
    """Prints a line per finding, under the names of connections if there are several."""
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
