"""`invoiced-pipeline report`: receivables and the pipeline's runs, as one HTML file."""

import webbrowser
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from invoiced_pipeline.commands.common.options import ConnectionOption
from invoiced_pipeline.exceptions import ConfigurationError, WarehouseError
from invoiced_pipeline.settings import ConnectionSettings, Settings, load_settings
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline.warehouse.start_date import default_start_date


def report(
    output: Annotated[
        Path | None,
        typer.Option(
            help="The file; by default report.html beside the warehouse, or, with several "
            "connections, DATASET_report.html.",
            dir_okay=False,
        ),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    connection: ConnectionOption = None,
) -> None:
    """Writes the report, and prints where it is."""
    settings = load_settings()
    path = write_report(settings, settings.find(connection), output)
    typer.echo(f"The report is {path}")
    if open_it:
        webbrowser.open(path.as_uri())


def write_report(
    settings: Settings, connection: ConnectionSettings, output: Path | None = None
) -> Path:
    """Writes a connection's report and returns its path.

    Raises:
        ConfigurationError: What draws it is not installed, or the file cannot be written.
        WarehouseError: The warehouse cannot be read, or has no runs yet.
    """
    if not (find_spec("altair") and find_spec("vl_convert")):
        message = (
            "The report needs altair and vl-convert, which are not installed. Install them with: "
            "pip install 'invoiced-pipeline[models]'"
        )
        raise ConfigurationError(message)
    # Here, because altair may be missing.
    from invoiced_pipeline.report.page import render
    from invoiced_pipeline.report.report import read_report

    database = open_database(settings.warehouse)
    dataset = connection.dataset
    if not database.exists():
        message = f"There is no {database.label} yet. To fill it: invoiced-pipeline sync"
        raise WarehouseError(message)
    start = connection.start_date or default_start_date(database, dataset)
    now = datetime.now(UTC)
    html = render(read_report(database, dataset, connection.name, start.date(), now))
    path = (output or _default_path(settings, connection)).resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        message = (
            f"Cannot write the report to {path}: {error.strerror}. Name another file: --output"
        )
        raise ConfigurationError(message) from error
    return path


def _default_path(settings: Settings, connection: ConnectionSettings) -> Path:
    """Returns `report.html` beside the warehouse; each of several connections has its own."""
    is_only = len(settings.connection) == 1
    name = "report.html" if is_only else f"{connection.dataset}_report.html"
    return settings.warehouse.path.with_name(name)
