"""Prints the result of a query as a table."""

from decimal import Decimal
from typing import Any

from rich.markup import escape

from invoiced_pipeline.amounts import amount_text
from invoiced_pipeline.commands.common.console import console
from invoiced_pipeline.commands.common.grid import Grid
from invoiced_pipeline.warehouse.sample_queries import QueryResult

_TEXT_COLUMNS = {"customer", "email", "invoice", "currency", "status"}
"""Columns that hold no numbers."""


def show_result(result: QueryResult) -> None:
    """Prints one query's result."""
    grid = Grid(result.title)
    for column in result.columns:
        grid.add_column(column, justify="left" if column in _TEXT_COLUMNS else "right")
    money = result.columns.index("currency") if "currency" in result.columns else None
    for row in result.rows:
        currency = None if money is None else str(row[money])
        grid.add_row(*(escape(_text(value, currency)) for value in row))
    console.print(grid)


def _text(value: Any, currency: str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return amount_text(value, currency)
    return f"{value:,}" if isinstance(value, int) else str(value)
