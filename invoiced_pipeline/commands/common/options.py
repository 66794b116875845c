"""Options of several commands."""

from importlib.metadata import version
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

ConnectionOption = Annotated[
    str | None,
    typer.Option("--connection", help="Name of a connection; the first one by default."),
]

ConnectionsOption = Annotated[
    str | None,
    typer.Option("--connection", help="Name of a connection; all of them by default."),
]


def _show_version(is_asked: bool) -> None:  # noqa: FBT001 - as typer calls it
    if is_asked:
        typer.echo(f"invoiced-pipeline {version('invoiced-pipeline')}")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
]
