"""Consoles of a given width, which keep what is printed."""

import io

from rich.console import Console

PIPED = 100_000
WIDTHS = [40, 60, 80, 100, 140, PIPED]


def new_screen(width: int) -> Console:
    return Console(width=width, file=io.StringIO())


def shown(screen: Console) -> str:
    """What was printed; nothing of it is cut off."""
    assert isinstance(screen.file, io.StringIO)
    text = screen.file.getvalue()
    assert "…" not in text
    return text


def table_lines(screen: Console) -> list[str]:
    """The lines of tables; none is wider than the screen."""
    lines = [line for line in shown(screen).splitlines() if line.startswith(" ")]
    assert all(len(line) <= screen.width for line in lines)
    return lines
