"""`invoiced-pipeline writeback`: plans, sends, and shows what became of the rows."""

from typing import Annotated

import typer

from invoiced_pipeline.commands.common.options import JsonOption
from invoiced_pipeline.commands.writeback_actions import (
    print_plan,
    print_result,
    print_status,
    run_push,
)
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import load_settings

writeback = typer.Typer(
    help="Rows of the warehouse become records in Invoiced, each exactly once.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="Name of the write-back in the settings.")]
WithParents = Annotated[
    bool,
    typer.Option("--parents/--no-parents", help="First push the write-backs it refers to."),
]


@writeback.command()
def plan(name: Name, as_json: JsonOption = False) -> None:
    """Show what a push would send, field by field; nothing is sent, and no key is needed."""
    if not print_plan(load_settings(), name, as_json=as_json):
        raise typer.Exit(1)


@writeback.command("test")
def send_one(
    name: Name,
    record: Annotated[str, typer.Option(help="The record to send, by its key.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="field=value in place of the record's own; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Send one record, optionally with changed fields, and show the API's response."""
    edits = dict(map(_edit, set_ or []))
    _push(name, as_json=as_json, record=record, set_fields=edits)


@writeback.command()
def push(name: Name, parents: WithParents = True, as_json: JsonOption = False) -> None:
    """Send every row that is new or has changed since it was last sent with success."""
    _push(name, as_json=as_json, with_parents=parents)


@writeback.command()
def retry(
    name: Name,
    record: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these record keys, also where an outcome is unknown: look in Invoiced first "
            "whether the record is there. May be repeated."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Push, and send rows again that the API refused although nothing in them changed."""
    keys = record or []
    _push(name, as_json=as_json, retry_rejected=not keys, retry_keys=keys)


@writeback.command()
def status(name: Name, as_json: JsonOption = False) -> None:
    """Show where every row stands, as the ledger has it."""
    if not print_status(load_settings(), name, as_json=as_json):
        raise typer.Exit(1)


def _edit(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip():
        message = f"--set {text!r}: the accepted form is field=value"
        raise ConfigurationError(message)
    return name.strip(), value


def _push(name: str, *, as_json: bool, **config: object) -> None:
    settings = load_settings()
    settings.api_key(settings.find(settings.find_writeback(name).connection))
    result = run_push(settings, name, **config)
    print_result(result, as_json=as_json)
    if result.error:
        raise typer.Exit(1)
