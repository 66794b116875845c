"""The command `invoiced-pipeline`; every command is a module in `commands/`."""

import sys

import typer

from invoiced_pipeline.commands.common.lazy_command import LazyCommand, no_options
from invoiced_pipeline.commands.common.options import VersionOption
from invoiced_pipeline.commands.common.termination import orderly_termination
from invoiced_pipeline.exceptions import InvoicedPipelineError
from invoiced_pipeline.garbage_collection import collect_rarely

COMMANDS = {
    "init": "Create a project folder with invoiced.toml and .env; no existing file is overwritten.",
    "check": "Test connections, schedules and the warehouse, and explain every problem.",
    "schedule": "Show when syncs start; nothing is changed.",
    "move": """Copy a connection's dataset from DuckDB to PostgreSQL; the next sync continues there.

        With --storage-version: convert the DuckDB file, with all datasets in it, instead.
        """,
    "compare": """Compare another tool's replica with the dataset; nothing is changed.

        Exits with 0 if they are equal, 1 if they differ, and 2 if they could not be compared.
        """,
    "sql": "Query the warehouse, read-only; table names need no schema.",
    "status": "Show the state of every table, and the next start; exits with 1 if a table failed "
    "or is stale, or a write-back failed.",
    "alert": "Show open incidents; with --test, send a test message to every address.",
    "ui": "Start Dagster's UI and scheduler, until Ctrl-C; it shows the runs of all commands.",
    "delete-old-runs": "Delete old runs from Dagster's run history; each table's newest events "
    "stay.",
    "sync": "Replicate what has changed since the last sync.",
    "sweep": "Compare all ids with the API: mark rows of deleted records, load records without a "
    "row.",
    "webhook": "Receive Invoiced's webhooks and sync what they name, until Ctrl-C.",
    "demo": "Start a local Invoiced, replicate it, and show what arrived (make run).",
    "answers": "Query the warehouse for receivables aging, largest open balances and recurring "
    "revenue.",
    "report": "Write an HTML file about receivables, from the dbt models, and the pipeline's runs.",
    "writeback": "Write rows of the warehouse to Invoiced as records, each exactly once.",
    "emulator": "Serve a local Invoiced with made-up records, until Ctrl-C.",
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


def main() -> None:
    """Runs a command; an error that a person can fix is one message, not a traceback."""
    collect_rarely()
    with orderly_termination():
        try:
            app()
        except InvoicedPipelineError as error:
            typer.secho(f"{error}", fg="red", err=True)
            sys.exit(1)


if __name__ == "__main__":
    main()
