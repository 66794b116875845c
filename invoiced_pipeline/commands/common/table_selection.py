"""The tables that a command works on."""

from typing import Annotated

import typer

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.selection.tables import tables_of
from invoiced_pipeline.settings import ConnectionSettings, Settings
from invoiced_pipeline.settings.suggestions import did_you_mean

SelectOption = Annotated[
    str, typer.Option("--select", help="Tables, separated by commas; all by default.")
]


def selected_tables(settings: Settings, connection: ConnectionSettings, select: str) -> list[str]:
    """Returns the names of the tables in `--select`; all that the connection selects if empty.

    Raises:
        ConfigurationError: The connection does not select a table of that name.
    """
    names = [table.name for table in tables_of(settings, connection)]
    chosen = [name.strip() for name in select.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in names]
    if unknown:
        meant = did_you_mean(unknown[0], names)
        message = f"--select: no table {', '.join(unknown)}. There are: {', '.join(names)}"
        if meant:
            message += f".{meant}"
        raise ConfigurationError(message)
    return chosen or names
