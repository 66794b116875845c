"""`invoiced-pipeline answers`: sample questions to the warehouse."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import typer

from invoiced_pipeline.commands.common.answer import show_answer
from invoiced_pipeline.commands.common.options import ConnectionOption, JsonOption
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.settings import ConnectionSettings, Settings, load_settings
from invoiced_pipeline.warehouse import sample_queries
from invoiced_pipeline.warehouse.open import open_database


def answers(connection: ConnectionOption = None, as_json: JsonOption = False) -> None:
    """Runs the sample queries and shows their results."""
    settings = load_settings()
    chosen = settings.find(connection)
    if as_json:
        found = [asdict(answer) for answer in _ask(settings, chosen)]
        typer.echo(json.dumps(found, default=str))
    else:
        show_answers(settings, chosen)


def show_answers(settings: Settings, connection: ConnectionSettings) -> None:
    """Prints the results of all sample queries.

    Raises:
        WarehouseError: The warehouse cannot be read.
    """
    for answer in _ask(settings, connection):
        show_answer(answer)


def _ask(settings: Settings, connection: ConnectionSettings) -> list[sample_queries.Answer]:
    database = open_database(settings.warehouse)
    try:
        return list(sample_queries.answers(database, connection.dataset, datetime.now(UTC)))
    except WarehouseError as error:
        message = f"Cannot read {database.label}: {error}. To fill it: invoiced-pipeline sync"
        raise WarehouseError(message) from error
