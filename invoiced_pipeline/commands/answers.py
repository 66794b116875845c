"""`invoiced-pipeline answers`: runs the sample queries on the warehouse."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import typer

from invoiced_pipeline.commands.common.options import ConnectionOption, JsonOption
from invoiced_pipeline.commands.common.query_result import show_result
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.settings import ConnectionSettings, Settings, load_settings
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline.warehouse.sample_queries import QueryResult, run_sample_queries


def answers(connection: ConnectionOption = None, as_json: JsonOption = False) -> None:
    """Runs the sample queries and shows their results."""
    settings = load_settings()
    chosen = settings.find(connection)
    if as_json:
        found = [asdict(result) for result in _results(settings, chosen)]
        typer.echo(json.dumps(found, default=str))
    else:
        show_answers(settings, chosen)


def show_answers(settings: Settings, connection: ConnectionSettings) -> None:
    """Prints the results of all sample queries.

    Raises:
        WarehouseError: The warehouse cannot be read.
    """
    for result in _results(settings, connection):
        show_result(result)


def _results(settings: Settings, connection: ConnectionSettings) -> list[QueryResult]:
    database = open_database(settings.warehouse)
    try:
        return run_sample_queries(database, connection.dataset, datetime.now(UTC))
    except WarehouseError as error:
        message = f"Cannot read {database.label}: {error}. To fill it: invoiced-pipeline sync"
        raise WarehouseError(message) from error
