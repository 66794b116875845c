"""An exhibit: a finding in words, its picture, and the table with the same figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from invoiced_pipeline.report.charts import Chart

_BESIDE_A_PICTURE = 8
"""Columns of a table that has room beside a picture."""


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

    @property
    def is_wide(self) -> bool:
        """Whether it needs the page's whole width."""
        return len(self.columns) > _BESIDE_A_PICTURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A finding with its picture and table.

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
    chart: Chart | None = None
    note: str = ""


def text_column(heading: str) -> Column:
    """Returns a column of texts."""
    return Column(heading, is_number=False)
