"""Rows of a query as a table, CSV or JSON."""

import csv
import sys
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

import msgspec
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from invoiced_pipeline.plurals import counted
from invoiced_pipeline.warehouse.database import QueryResult

SHOWN_ROWS = 100
"""Rows that a terminal shows; a pipe or a file gets all of them."""

_NUMBERS = (int, float, Decimal)
_WIDEST = 1_000_000
"""Characters in a table's line when the output is no terminal."""


def write_json(result: QueryResult) -> None:
    """Prints a JSON array with a row per line; numbers are exact, and JSON columns nested."""
    names = _distinct(result.columns)
    encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
    separator = "["
    for row in result.rows:
        values = (
            msgspec.Raw(value.encode()) if place in result.json_columns and value else value
            for place, value in enumerate(row)
        )
        sys.stdout.write(f"{separator}{encode(dict(zip(names, values, strict=True))).decode()}")
        separator = ",\n"
    sys.stdout.write("[]\n" if separator == "[" else "]\n")


def write_csv(result: QueryResult) -> None:
    """Prints a header and a line per row; NULL is empty."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(result.columns)
    for row in result.rows:
        writer.writerow("" if value is None else _text(value) for value in row)


def show_result(result: QueryResult) -> None:
    """Prints a table, or a block of lines per row if the terminal is too narrow.

    No value is cut. A terminal shows the first `SHOWN_ROWS` rows.
    """
    console = Console(file=sys.stdout, highlight=False, markup=False)
    if not result.columns:
        console.print("Done.")
        return
    limit = SHOWN_ROWS if console.is_terminal else None
    rows = list(islice(result.rows, limit))
    cells = [[_text(value) for value in row] for row in rows]
    grid = _table(result.columns, rows, cells)
    width = console.measure(grid, options=console.options.update(max_width=_WIDEST)).maximum
    if not console.is_terminal:
        console.width = width
    if width <= console.width:
        console.print(grid, crop=False)
    else:
        _show_blocks(console, result.columns, cells)
    count = counted(len(rows), "row")
    if next(result.rows, None) is not None:
        count = f"The first {count}; --csv and --json print all"
    console.print(Text(f"{count}."), soft_wrap=True)


def _table(columns: Sequence[str], rows: list[tuple[Any, ...]], cells: list[list[str]]) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    for place, name in enumerate(columns):
        values = [row[place] for row in rows if row[place] is not None]
        is_number = bool(values) and all(isinstance(value, _NUMBERS) for value in values)
        grid.add_column(Text(name), justify="right" if is_number else "left", no_wrap=True)
    for row in cells:
        grid.add_row(*map(Text, row))
    return grid


def _show_blocks(console: Console, columns: Sequence[str], cells: list[list[str]]) -> None:
    """Prints a row as a block of lines, each with a column's name and value."""
    longest = max(map(cell_len, columns))
    for number, row in enumerate(cells, start=1):
        console.print(Text(f"row {number}", style="bold"))
        for name, value in zip(columns, row, strict=True):
            padding = " " * (longest - cell_len(name))
            console.print(Text(f"  {name}{padding}  {value}"), soft_wrap=True)


def _text(value: Any) -> str:
    """Returns a value's text, which people can read and programs can parse; nothing is rounded."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal) and value.is_finite():
        text = f"{value:f}"  # money has ten decimals, and most are 0
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict | list | tuple):
        return msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode(value).decode()
    return str(value)


def _distinct(columns: Sequence[str]) -> list[str]:
    """Returns unique column names: a second `id` becomes `id_2`."""
    names: list[str] = []
    for column in columns:
        name, number = column, 1
        while name in names:
            number += 1
            name = f"{column}_{number}"
        names.append(name)
    return names
