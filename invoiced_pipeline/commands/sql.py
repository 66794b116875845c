"""`invoiced-pipeline sql`: read-only queries over the warehouse."""

import sys
from typing import Annotated

import typer

from invoiced_pipeline.commands.common.options import ConnectionOption, JsonOption
from invoiced_pipeline.commands.sql_output import show_result, write_csv, write_json
from invoiced_pipeline.commands.sql_prompt import prompt
from invoiced_pipeline.exceptions import ConfigurationError, WarehouseError
from invoiced_pipeline.settings import load_settings
from invoiced_pipeline.warehouse.open import open_database


def sql(
    query: Annotated[
        str | None,
        typer.Argument(help="SQL. Without it, SQL comes from stdin or from a prompt."),
    ] = None,
    connection: ConnectionOption = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")] = False,
) -> None:
    """Runs a query, or the prompt, and prints rows as a table, CSV or JSON."""
    settings = load_settings()
    dataset = settings.find(connection).dataset
    if as_json and as_csv:
        message = "--json and --csv exclude each other: choose one"
        raise ConfigurationError(message)
    database = open_database(settings.warehouse)
    if not database.exists():
        message = f"There is no {database.label} yet. To fill it: invoiced-pipeline sync"
        raise WarehouseError(message)
    write = write_json if as_json else write_csv if as_csv else show_result

    def run(text: str) -> None:
        with database.query(dataset, text) as result:
            write(result)

    if query is None and sys.stdin.isatty():
        prompt(run, dataset, database.label)
        return
    text = sys.stdin.read() if query is None else query
    if not text.strip():
        message = "No SQL was given: pass it as an argument or through stdin"
        raise ConfigurationError(message)
    run(text)
