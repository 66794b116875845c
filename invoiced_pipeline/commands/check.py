"""`invoiced-pipeline check`: tests the connection and the destination."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from invoiced_pipeline.exceptions import InvoicedPipelineError
from invoiced_pipeline.settings import load_settings

if TYPE_CHECKING:
    from invoiced_pipeline.invoiced.connection_check import Finding


def check(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Test the connection and the destination, and say plainly what is wrong."""
    findings = _findings()
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        from invoiced_pipeline.terminal import console, say

        for finding in findings:
            mark = "[red]✗[/]" if finding.problem else "[green]✓[/]"
            what = f"{finding.problem}: {finding.detail}" if finding.problem else finding.detail
            console.print(f"{mark} {finding.subject}: ", end="")
            say(console, what)
    if any(finding.problem for finding in findings):
        raise typer.Exit(1)


def _findings() -> "list[Finding]":
    from invoiced_pipeline.catalog.selection import tables_of
    from invoiced_pipeline.invoiced.client import InvoicedClient, Patience
    from invoiced_pipeline.invoiced.connection_check import Finding, check_tables
    from invoiced_pipeline.warehouse.opening import open_database

    settings = load_settings()
    connection = settings.first
    tables = tables_of(settings, connection)
    findings: list[Finding] = []
    try:
        client = InvoicedClient(
            connection.base_url,
            settings.api_key(connection),
            patience=Patience(attempts=2, connect_seconds=5, read_seconds=20),
        )
    except InvoicedPipelineError as error:
        findings.append(Finding("connection", "no key", str(error)))
    else:
        findings += check_tables(client, tables)
        if not any(finding.subject == "connection" for finding in findings):
            host = f"{connection.base_url} accepts the key"
            findings.insert(0, Finding("connection", None, host))
        client.close()
    try:
        database = open_database(settings.warehouse)
        database.check_writable()
        findings.append(Finding("destination", None, f"{database.label} is writable"))
    except InvoicedPipelineError as error:
        findings.append(Finding("destination", "destination not writable", str(error)))
    return findings
