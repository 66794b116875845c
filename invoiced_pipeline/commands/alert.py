"""`invoiced-pipeline alert`: shows open incidents, or tests the addresses."""

import json
from typing import Annotated, Any

import typer

from invoiced_pipeline.alerts.delivery import read_addresses
from invoiced_pipeline.alerts.message import TEST_BODY, Message, message_title, open_text
from invoiced_pipeline.commands.common.console import console, say
from invoiced_pipeline.commands.common.options import JsonOption
from invoiced_pipeline.defs.alerts.open_incidents import Overview, read_overview
from invoiced_pipeline.defs.launch.instance import open_instance
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import Settings, load_settings

TestOption = Annotated[
    bool,
    typer.Option(
        "--test", help="Send a test message to every address; exits with 1 if one does not take it."
    ),
]


def alert(test: TestOption = False, as_json: JsonOption = False) -> None:
    """Shows what is wrong and whether alerts are on; exits with 1 if there are no addresses."""
    settings = load_settings()
    if not settings.alert_addresses:
        message = (
            f"There are no addresses for alerts. Set {settings.alerts.urls_env} in the environment "
            "or in .env, for example to slack://token/token/token/#channel, then try "
            "invoiced-pipeline alert --test"
        )
        raise ConfigurationError(message)
    if test:
        _test(settings, as_json=as_json)
        return
    with open_instance(settings) as instance:
        overview = read_overview(instance, settings)
    if as_json:
        typer.echo(json.dumps(_data(overview)))
    else:
        _show(settings, overview)


def _test(settings: Settings, *, as_json: bool) -> None:
    message = Message(message_title("test"), TEST_BODY, "info")
    outcomes = [(each, each.send(message)) for each in read_addresses(settings.alert_addresses)]
    if as_json:
        found = [
            {"address": each.number, "service": each.service, "taken": is_taken}
            for each, is_taken in outcomes
        ]
        typer.echo(json.dumps(found))
    else:
        for address, is_taken in outcomes:
            console.print("[green]✓[/] " if is_taken else "[red]✗[/] ", end="")
            say(console, f"{address}: {'took the message' if is_taken else _NOT_TAKEN}")
    if not all(is_taken for _, is_taken in outcomes):
        raise typer.Exit(1)


_NOT_TAKEN = (
    "did not take the message. Check the address, and that this machine may connect to the service"
)


def _show(settings: Settings, overview: Overview) -> None:
    if not overview.is_on:
        say(
            console,
            "The sensor alerts_sensor has not run yet, or is off: start "
            "invoiced-pipeline ui, or turn it on there.",
            style="yellow",
        )
    for connection in settings.connection:
        incidents = overview.state.of(connection.dataset)
        text = open_text(incidents, ui_url=settings.alerts.ui_url)
        if text:
            say(console, connection.name, style="bold")
            say(console, text)
    if overview.is_on and not any(_data(overview)["open"]):
        say(console, "Nothing is wrong.")


def _data(overview: Overview) -> dict[str, Any]:
    return {
        "on": overview.is_on,
        "open": [
            {
                "dataset": dataset,
                "kind": each.key.kind,
                "subject": each.key.subject,
                "state": each.key.state,
                "reason": each.reason,
                "run_id": each.run_id,
                "count": each.count,
                "addresses_to_notify": sorted(each.pending),
            }
            for dataset, incidents in overview.state.incidents.items()
            for each in incidents
            if not each.is_over
        ],
    }
