"""The consoles that commands print to."""

import os
import sys
from typing import IO, Any

from rich.console import Console

_NO_LIMIT = 100_000
"""Columns of a pipe or a file: nothing wraps there, and a row of a table is one line."""


def console_on(stream: IO[str], **options: Any) -> Console:
    """Returns a console as wide as the terminal behind `stream`."""
    is_wide = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(width=_NO_LIMIT if is_wide else None, **options)


console = console_on(sys.stdout)
errors = console_on(sys.stderr, stderr=True)


def say(to: Console, text: str, style: str | None = None) -> None:
    """Prints a text as it is, without markup, in one line: people search logs for it."""
    to.print(text, style=style, highlight=False, markup=False, soft_wrap=True)
