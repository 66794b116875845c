"""A table as another tool has loaded it: the names that it has there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.warehouse.database import Relation

DELETION_COLUMNS = (
    "_sdc_deleted_at",
    "_fivetran_deleted",
    "_ab_cdc_deleted_at",
    "__hevo__marked_deleted",
    "_deleted_at",
)
"""Columns in which Singer's targets, Fivetran, Airbyte, Hevo and this project mark deleted rows."""


@dataclass(frozen=True, slots=True)
class OldTable:
    """A table of the other replica.

    Attributes:
        relation: The table or view.
        columns: Its columns' names as they are, by name in lower case.
    """

    relation: Relation
    columns: Mapping[str, str]

    @property
    def deletion_column(self) -> str | None:
        """The name in lower case of the column that marks deleted rows; None without one."""
        return next((each for each in DELETION_COLUMNS if each in self.columns), None)

    def lacks(self, table: Table) -> list[str]:
        """Returns the columns without which it cannot be compared."""
        needed = (table.primary_key, table.replication_key)
        return [name for name in needed if name not in self.columns]


def find_table(relations: Iterable[Relation], table: Table) -> OldTable | None:
    """Returns the table of the other replica, called as Invoiced's endpoint or as one record."""
    found = {each.name.lower(): each for each in relations}
    relation = found.get(table.name) or found.get(table.singular)
    if relation is None:
        return None
    return OldTable(relation, {name.lower(): name for name in relation.columns})
