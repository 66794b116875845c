"""The command `invoiced-pipeline`; every command is a module in `commands/`."""

import errno
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from invoiced_pipeline.commands.common.lazy_command import LazyCommand, no_options
from invoiced_pipeline.commands.common.options import VersionOption
from invoiced_pipeline.commands.common.termination import orderly_termination
from invoiced_pipeline.exceptions import InvoicedPipelineError

COMMANDS = {
    "init": "Create a project folder with invoiced.toml and .env; no existing file is overwritten.",
    "check": "Test connections, schedules and the warehouse, and explain every problem.",
    "schedule": "Show when syncs start; nothing is changed.",
    "move": """Copy a connection's dataset from DuckDB to PostgreSQL; the next sync continues there.

        With --storage-version: convert the DuckDB file, with all datasets in it, instead.
        """,
    "sql": "Query the warehouse, read-only; table names need no schema.",
    "status": "Show the state of every table, and the next start; exits with 1 if a table failed.",
    "ui": "Start Dagster's UI and scheduler, until Ctrl-C; it shows the runs of all commands.",
    "delete-old-runs": "Delete old runs from Dagster's run history; each table's newest events "
    "stay.",
    "sync": "Replicate what has changed since the last sync.",
    "sweep": "Compare all ids with the API: mark rows of deleted records, load records without a "
    "row.",
    "demo": "Start a local Invoiced, replicate it, and show what arrived (make run).",
    "answers": "Query the warehouse for receivables aging, largest open balances and recurring "
    "revenue.",
    "writeback": "Write rows of the warehouse to Invoiced as records, each exactly once.",
}
"""Every command with its help, in the order of `--help`."""

app = typer.Typer(
    help="Keeps an Invoiced account and a warehouse in step.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _options(version: VersionOption = False) -> None:
    """Keeps an Invoiced account and a warehouse in step."""


for _name, _help in COMMANDS.items():
    app.command(_name, cls=LazyCommand, help=_help)(no_options)


@app.command()
def emulator(  # noqa: PLR0913, PLR0917 - one parameter per option
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8085,
    seed: Annotated[int, typer.Option(help="Same seed, same records.")] = 1,
    customers: Annotated[int, typer.Option(help="Customers to make up; 0 for none.")] = 300,
    database: Annotated[str, typer.Option(help="SQLite file.")] = ":memory:",
    load: Annotated[Path | None, typer.Option(help="Folder of JSON records to put in.")] = None,
    latency: Annotated[float, typer.Option(help="Milliseconds added to every answer.")] = 0.0,
    rate_429: Annotated[float, typer.Option(help="Share of requests answered with 429.")] = 0.0,
    rate_5xx: Annotated[float, typer.Option(help="Share of requests answered with 5xx.")] = 0.0,
    drop_connection: Annotated[float, typer.Option(help="Share of connections dropped.")] = 0.0,
    truncate_body: Annotated[float, typer.Option(help="Share of bodies cut short.")] = 0.0,
    without_feature: Annotated[
        list[str] | None,
        typer.Option(help="Feature the account lacks: subscription_billing. Its lists answer 400."),
    ] = None,
    forbid: Annotated[
        list[str] | None,
        typer.Option(help="List that the key may not see, such as payments: it answers 403."),
    ] = None,
) -> None:
    """Serve a local Invoiced with made-up records, until Ctrl-C."""
    from invoiced_pipeline.emulator.account import Account
    from invoiced_pipeline.emulator.faults import Faults
    from invoiced_pipeline.emulator.run import serve
    from invoiced_pipeline.exceptions import ConfigurationError

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    faults = Faults(
        latency_ms=latency,
        rate429=rate_429,
        rate5xx=rate_5xx,
        drop_connection=drop_connection,
        truncate_body=truncate_body,
    )
    store = database if database == ":memory:" else Path(database)
    try:
        serve(
            port=port,
            database=store,
            seed=seed,
            customers=customers,
            load=load,
            faults=faults,
            features=Account().features - set(without_feature or ()),
            forbidden=forbid or (),
        )
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        message = f"Another program uses port {port}: stop it, or choose another port with --port"
        raise ConfigurationError(message) from error


def main() -> None:
    """Runs a command; an error that a person can fix is one message, not a traceback."""
    with orderly_termination():
        try:
            app()
        except InvoicedPipelineError as error:
            typer.secho(f"{error}", fg="red", err=True)
            sys.exit(1)


if __name__ == "__main__":
    main()
