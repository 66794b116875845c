"""`invoiced-pipeline move`: takes a dataset from the DuckDB file to the server."""

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from invoiced_pipeline.commands.options import ConnectionOption, JsonOption
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import load_settings
from invoiced_pipeline.settings.former_file import FORMER_DEFAULT


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
    former = settings.folder / FORMER_DEFAULT
    if not file.exists() and source is None and former.exists():
        message = (
            f"There is no {file}. Version 0.1.0 kept the warehouse in {former}. To copy that: "
            f"invoiced-pipeline move --from {shlex.quote(str(former))}"
        )
        raise ConfigurationError(message)
    moved = move_dataset(DuckDbDatabase(file), database, dataset)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in moved]))
        return
    for each in moved:
        console.print(f"{each.table}: {each.rows:,} rows", highlight=False)
    console.print(
        f"{dataset} is in {database.label} now, and {file} as it was. Go on with: "
        "invoiced-pipeline sync",
        highlight=False,
    )
