"""`invoiced-pipeline writeback`: look at what would be sent, send it, and see what became of it."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from invoiced_pipeline.commands.common.options import JsonOption
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from invoiced_pipeline.defs.launch.launch import WritebackResult

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
    settings = load_settings()
    found = settings.find_writeback(name)
    connection = settings.find(found.connection)
    dataset = connection.dataset
    from invoiced_pipeline.commands.writeback_output import plan_data, show_plan
    from invoiced_pipeline.invoiced.http.json_body import encode_body
    from invoiced_pipeline.selection.privacy import privacy_of
    from invoiced_pipeline.warehouse.open import open_database
    from invoiced_pipeline.writeback.plan.plan_table import write_plan
    from invoiced_pipeline.writeback.plan.redaction import redacted_plan
    from invoiced_pipeline.writeback.run import plan_writeback

    database = open_database(settings.warehouse)
    host, privacy = connection.base_url, privacy_of(connection, settings.hash_salt)
    with database.writer_lock(dataset, f"plan of {name}"):
        planned = plan_writeback(settings, name, database)
        write_plan(database, dataset, redacted_plan(planned, privacy), "")
    if as_json:
        typer.echo(encode_body(plan_data(planned, host)).decode())
    else:
        show_plan(planned, host)
    invalid = planned.counts["invalid"]
    if invalid > found.reject_share * len(planned.rows):
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
    """Send one record, perhaps edited, and show what the API answers."""
    edits = dict(map(_edit, set_ or []))
    result = run_push(load_settings(), name, record=record, set_fields=edits)
    _end(result, as_json=as_json)


@writeback.command()
def push(name: Name, parents: WithParents = True, as_json: JsonOption = False) -> None:
    """Send every row that is new or has changed since it was last sent with success."""
    _end(run_push(load_settings(), name, with_parents=parents), as_json=as_json)


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
    result = run_push(load_settings(), name, retry_rejected=not keys, retry_keys=keys)
    _end(result, as_json=as_json)


@writeback.command()
def status(name: Name, as_json: JsonOption = False) -> None:
    """Show where every row stands, as the ledger has it."""
    settings = load_settings()
    found = settings.find_writeback(name)
    from invoiced_pipeline.commands.writeback_output import show_status, status_data
    from invoiced_pipeline.warehouse.open import open_database
    from invoiced_pipeline.writeback.ledger.ledger import Ledger

    dataset = settings.find(found.connection).dataset
    entries = Ledger(open_database(settings.warehouse), dataset).entries(name)
    data = status_data(found, entries)
    if as_json:
        typer.echo(json.dumps(data, default=str))
    else:
        show_status(data)
    if any(data["states"][state] for state in ("rejected", "invalid", "unknown", "sent")):
        raise typer.Exit(1)


def _edit(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip():
        message = f"--set {text!r}: the accepted form is field=value"
        raise ConfigurationError(message)
    return name.strip(), value


def run_push(settings: Settings, name: str, **config: Any) -> "WritebackResult":
    """Runs a write-back's job in this process, to send and not only to plan.

    Args:
        settings: All settings.
        name: Which write-back.
        config: As of `WritebackConfig`.

    Raises:
        ConfigurationError: There is no such write-back, or its API key is not set.
    """
    found = settings.find_writeback(name)
    settings.api_key(settings.find(found.connection))
    from invoiced_pipeline.defs.assembly import build_definitions
    from invoiced_pipeline.defs.launch.instance import open_instance
    from invoiced_pipeline.defs.launch.launch import run_writeback
    from invoiced_pipeline.defs.writeback.run import WritebackConfig

    definitions = build_definitions(settings)
    with open_instance(settings) as instance:
        wanted = WritebackConfig(dry_run=False, **config)
        return run_writeback(definitions, name, instance, wanted)


def _end(result: "WritebackResult", *, as_json: bool) -> None:
    from invoiced_pipeline.commands.writeback_output import result_data, show_result

    if as_json:
        typer.echo(json.dumps(result_data(result), default=str))
    else:
        show_result(result)
    if result.error:
        raise typer.Exit(1)
