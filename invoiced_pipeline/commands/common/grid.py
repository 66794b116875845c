"""The tables that commands print: no value is cut off."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

_NARROWEST = 12
"""Columns of text may shrink to this width; longer words are broken."""


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    is_number: bool
    wraps: bool


class Grid:
    """A table that fits the terminal; print it with `console.print`.

    Text wraps, numbers do not. If the table is too wide, optional columns are left out and named
    below it. If it is still too wide, every row becomes a block of lines.

    Args:
        title: Its title; none if empty.
        optional: Headings of columns that may be left out, the least important first.
    """

    def __init__(self, title: str, *, optional: Sequence[str] = ()) -> None:
        self._title = title
        self._optional = tuple(optional)
        self._columns: list[_Column] = []
        self._rows: list[list[Text]] = []

    @property
    def row_count(self) -> int:
        """Returns the number of rows."""
        return len(self._rows)

    def add_column(
        self, heading: str, *, justify: Literal["left", "right"] = "left", no_wrap: bool = False
    ) -> None:
        """Adds a column before any row.

        Args:
            heading: The column's heading.
            justify: `right` makes it a column of numbers, which never wrap.
            no_wrap: Set for names, which people copy from the screen.
        """
        is_number = justify == "right"
        self._columns.append(_Column(heading, is_number, wraps=not (is_number or no_wrap)))

    def add_row(self, *cells: str) -> None:
        """Adds a row with a cell per column; cells may hold markup such as `[red]`."""
        self._rows.append([Text.from_markup(cell) for cell in cells])

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        """Yields what rich prints."""
        room = options.max_width
        shown = list(range(len(self._columns)))
        for heading in self._optional:
            if self._least_width(shown) <= room:
                break
            shown = [index for index in shown if self._columns[index].heading != heading]
        if self._title:
            yield Text(self._title, style="bold")
        if self._least_width(shown) > room:
            yield from self._blocks()
            return
        yield self._table(shown)
        left_out = [c.heading for index, c in enumerate(self._columns) if index not in shown]
        if left_out:
            yield Text(f"Left out for lack of room: {', '.join(left_out)}", style="dim")

    def _table(self, shown: Sequence[int]) -> Table:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for index in shown:
            column = self._columns[index]
            table.add_column(
                Text(column.heading),
                justify="right" if column.is_number else "left",
                no_wrap=not column.wraps,
                overflow="fold",
                min_width=self._least(index),
            )
        for row in self._rows:
            table.add_row(*(row[index] for index in shown))
        return table

    def _blocks(self) -> Iterator[RenderableType]:
        """Yields every row as lines of heading and value."""
        for row in self._rows:
            block = Table.grid(padding=(0, 2, 0, 0))
            block.add_column(no_wrap=True)
            block.add_column(overflow="fold")
            for column, cell in zip(self._columns, row, strict=True):
                block.add_row(f" {column.heading}", cell)
            yield Text()
            yield block
        yield Text()

    def _least_width(self, shown: Sequence[int]) -> int:
        """Returns the width below which a value in these columns would be cut off."""
        edges = 2  # the box has two
        return edges + sum(self._least(index) + 2 for index in shown)

    def _least(self, index: int) -> int:
        column = self._columns[index]
        cells = (Text(column.heading), *(row[index] for row in self._rows))
        natural = max(cell.cell_len for cell in cells)
        return min(natural, _NARROWEST) if column.wraps else natural
