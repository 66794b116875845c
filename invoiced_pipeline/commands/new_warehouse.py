"""Which settings and which warehouse a command uses, before it makes a new one."""

import typer

from invoiced_pipeline.settings import Settings
from invoiced_pipeline.warehouse.open import open_database


def settings_place(settings: Settings) -> str:
    """The settings file, or where it was looked up and what follows from its absence."""
    if settings.file is not None:
        return str(settings.file)
    return f"no {settings.source} in {settings.folder}: relative paths begin there"


def show_new_warehouse(settings: Settings) -> None:
    """Says, on stderr, that there is no settings file, and that a warehouse is about to be made."""
    database = open_database(settings.warehouse)
    if settings.file is None:
        typer.echo(f"Settings: {settings_place(settings)}", err=True)
    if not database.exists():
        typer.echo(f"Creating the warehouse {database.label}", err=True)
    elif settings.file is None:
        typer.echo(f"Warehouse: {database.label}", err=True)
