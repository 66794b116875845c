"""An exhibit: a finding in words, its picture, and the table with the same figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from altair import TopLevelMixin


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; numbers are aligned to the right."""

    heading: str
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts.

    Attributes:
        caption: What it holds, with the unit of its figures.
        columns: Its columns; the first one names the row.
        rows: A text for every column.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A picture with its table.

    Attributes:
        name: What it is about, such as `aging`; unique in its section.
        title: The finding with its figure, as a sentence without a full stop.
        table: The figures.
        chart: The picture; None if there is too little to draw.
        note: What a reader must know to understand the figures.
    """

    name: str
    title: str
    table: Table
    chart: "TopLevelMixin | None" = None
    note: str = ""


def text_column(heading: str) -> Column:
    """Returns a column of texts."""
    return Column(heading, is_number=False)
