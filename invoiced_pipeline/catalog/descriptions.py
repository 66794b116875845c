"""Descriptions of columns, for comments in the warehouse and docs/schema.md."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from invoiced_pipeline.catalog.model import Column, ForeignKey

DELETED_AT = "_deleted_at"


@dataclass(frozen=True, slots=True)
class Companion:
    """A column of a view of current rows, in addition to those of the table.

    Attributes:
        name: Its name.
        of: The column of the table that it is computed from.
        sql: The expression, in standard SQL.
        type: The SQL type.
        description: The description.
    """

    name: str
    of: str
    sql: str
    type: str
    description: str


def companions(columns: Iterable[Column]) -> list[Companion]:
    """Returns the days of timestamps that mean a day, and the instants of epoch seconds."""
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
    """Returns SQL for the day of a timestamp, independent of the session's time zone."""
    return f"cast(\"{column}\" at time zone 'UTC' as date)"


def column_text(column: Column, keys: Sequence[ForeignKey] = ()) -> str:
    """Returns the description of a column, with its joins and pitfalls."""
    parts = [column.description]
    parts += [f"Joins {key.table}.id." for key in keys if key.column == column.name]
    if column.is_day:
        day = day_of(column.name).replace('"', "")
        parts.append(
            "An instant that names a day, normally midnight UTC: a session in another time zone "
            f"can show the day before, so take {day}."
        )
    return " ".join(parts)
