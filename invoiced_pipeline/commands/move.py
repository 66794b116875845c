"""`invoiced-pipeline move`: takes a dataset from the DuckDB file to the server."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from invoiced_pipeline.commands.options import ConnectionOption, JsonOption
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.settings import load_settings


def move(
    source: Annotated[
        Path | None, typer.Option("--from", help="The DuckDB file; by default the settings' path.")
    ] = None,
    connection: ConnectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy a connection's dataset from DuckDB to PostgreSQL; the next sync goes on from there."""
    from invoiced_pipeline.terminal import console
    from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
    from invoiced_pipeline.warehouse.moving import move_dataset
    from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase

    settings = load_settings()
    dataset = settings.find(connection).dataset
    target = settings.warehouse
    if target.destination != "postgres":
        message = (
            "move copies from a DuckDB file to the server that the settings name: set first "
            "INVOICED_DESTINATION=postgres, and INVOICED_POSTGRES_URL or [warehouse.credentials]"
        )
        raise ConfigurationError(message)
    database = PostgresDatabase(target.server, target.path.parent)
    file = source or target.path
    moved = move_dataset(DuckDbDatabase(file), database, dataset)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in moved]))
        return
    for each in moved:
        console.print(f"{each.table}: {counted(each.rows, 'row')}", highlight=False)
    console.print(
        f"{dataset} is in {database.label} now, and {file} as it was. Go on with: "
        "invoiced-pipeline sync",
        highlight=False,
    )
