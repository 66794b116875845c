"""`invoiced-pipeline move`: from DuckDB to PostgreSQL, or to another storage version."""

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from invoiced_pipeline.commands.common.console import console, say
from invoiced_pipeline.commands.common.options import ConnectionOption, JsonOption
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.settings import Settings, StorageVersion, load_settings
from invoiced_pipeline.settings.former_file import FORMER_DEFAULT
from invoiced_pipeline.warehouse.conversion import convert_file
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.migration import move_dataset
from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase


def move(
    source: Annotated[
        Path | None,
        typer.Option("--from", help="The DuckDB file; that of the settings by default."),
    ] = None,
    storage_version: Annotated[
        str | None,
        typer.Option(
            help="Convert the DuckDB file so that DuckDB of this version can open it: "
            f"{', '.join(get_args(StorageVersion))}."
        ),
    ] = None,
    connection: ConnectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copies a connection's dataset to the server, or converts the DuckDB file."""
    settings = load_settings()
    if storage_version is not None:
        _convert(settings, source, storage_version, connection, as_json=as_json)
        return
    dataset = settings.find(connection).dataset
    target = settings.warehouse
    if target.destination != "postgres":
        message = (
            "move copies from a DuckDB file to the PostgreSQL server of the settings: first set "
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
        console.print(f"{each.table}: {counted(each.rows, 'row')}", highlight=False)
    console.print(
        f"{dataset} is now in {database.label}; {file} is unchanged. Continue with: "
        "invoiced-pipeline sync",
        highlight=False,
    )


def _convert(
    settings: Settings,
    source: Path | None,
    version: str,
    connection: str | None,
    *,
    as_json: bool,
) -> None:
    """Converts the file, and prints its version and size before and after."""
    known = get_args(StorageVersion)
    if version not in known:
        message = f"--storage-version: {version!r} is not one of {', '.join(known)}"
        raise ConfigurationError(message)
    if connection is not None:
        message = "--storage-version converts the file with all its datasets: omit --connection"
        raise ConfigurationError(message)
    if source is None and settings.warehouse.destination != "duckdb":
        message = (
            "--storage-version converts a DuckDB file, but the settings name PostgreSQL: name the "
            "file with --from"
        )
        raise ConfigurationError(message)
    file = source or settings.warehouse.path
    done = convert_file(DuckDbDatabase(file), cast(StorageVersion, version))
    if as_json:
        typer.echo(json.dumps({"file": str(file), **asdict(done)}))
        return
    if done.before == done.after:
        say(console, f"{file} already has storage version {version}. Nothing was done.")
        return
    say(
        console,
        f"{file} now has storage version {done.after.version} (before: {done.before.version}): "
        f"{done.after.readers} can open it. Its size is {_megabytes(done.bytes_after)} (before: "
        f"{_megabytes(done.bytes_before)}).",
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
