"""The words in which the warehouse and docs/schema.md describe tables and columns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from invoiced_pipeline.catalog.model import Column, ForeignKey

DELETED_AT = "_deleted_at"


@dataclass(frozen=True, slots=True)
class Companion:
    """A column that a view of current rows has beside a table's own.

    Attributes:
        name: Its name.
        of: The table's column that it is made of.
        sql: Standard SQL over the table's columns.
        type: What it is, in SQL.
        description: What it holds.
    """

    name: str
    of: str
    sql: str
    type: str
    description: str


def companions(columns: Iterable[Column]) -> list[Companion]:
    """The day of every instant that names one, and the instant of every number of seconds."""
    found = []
    for column in columns:
        if column.is_day:
            found.append(
                Companion(
                    f"{column.name}_day",
                    column.name,
                    day_of(column.name),
                    "date",
                    f"The day of {column.name}, in UTC.",
                )
            )
        if column.is_epoch:
            found.append(
                Companion(
                    f"{column.name}_timestamp",
                    column.name,
                    f'to_timestamp("{column.name}")',
                    "timestamptz",
                    f"{column.name} as an instant (UTC).",
                )
            )
    return found


def day_of(column: str) -> str:
    """SQL for the day that an instant names, whatever the session's time zone is."""
    return f"cast(\"{column}\" at time zone 'UTC' as date)"


def column_text(column: Column, keys: Sequence[ForeignKey] = ()) -> str:
    """What a column holds, what it joins and how it misleads."""
    parts = [column.description]
    parts += [f"Joins {key.table}.id." for key in keys if key.column == column.name]
    if column.is_day:
        day = day_of(column.name).replace('"', "")
        parts.append(
            "An instant that names a day, normally midnight UTC: a session in another time zone "
            f"can show the day before, so take {day}."
        )
    return " ".join(parts)
