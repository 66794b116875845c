"""Options that several commands have."""

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
