"""Where the settings and the warehouse of a command are."""

import typer

from invoiced_pipeline.settings import Settings
from invoiced_pipeline.warehouse.open import open_database


def settings_place(settings: Settings) -> str:
    """Returns the settings file; without one, the folder that paths begin in."""
    if settings.file is not None:
        return str(settings.file)
    return f"no {settings.source} in {settings.folder}: relative paths begin there"


def announce_warehouse(settings: Settings) -> None:
    """Prints to stderr that there is no settings file, or that the warehouse is created now."""
    database = open_database(settings.warehouse)
    if settings.file is None:
        typer.echo(f"Settings: {settings_place(settings)}", err=True)
    if not database.exists():
        typer.echo(f"Creating the warehouse {database.label}", err=True)
    elif settings.file is None:
        typer.echo(f"Warehouse: {database.label}", err=True)
