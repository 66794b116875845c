"""How Stitch names tables, subtables and its own columns.

Sources: the published schema of the integration Invoiced (version 1) for tables and columns, and
Stitch's documentation of system columns and of nested data. `Column.contract` marks the columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from invoiced_pipeline.catalog.model import Column, Table
from invoiced_pipeline.catalog.shapes import DISCOUNT, TAX

_DOCUMENT = {
    ("items",): (),
    ("items", "discounts"): DISCOUNT,
    ("items", "taxes"): TAX,
    ("discounts",): (),
    ("taxes",): (),
}

SUBTABLES: dict[str, dict[tuple[str, ...], tuple[Column, ...]]] = {
    "customers": {("taxes",): ()},
    "invoices": _DOCUMENT,
    "credit_notes": _DOCUMENT,
    "estimates": _DOCUMENT,
    "subscriptions": {("addons",): (), ("discounts",): (), ("taxes",): ()},
    "plans": {},
    "transactions": {},
}
"""The seven tables that Stitch documents, with their arrays: the path of names in a record, and the
fields of an array inside an array. An array of the record itself is a child table of the catalog.

`plans.tiers` is documented as an object, so it has no subtable.
"""

SDC_COLUMNS = (
    Column(
        "_sdc_extracted_at",
        "timestamp",
        "When the run that read the record began to read (UTC).",
    ),
    Column("_sdc_received_at", "timestamp", "The same as _sdc_extracted_at."),
    Column(
        "_sdc_batched_at",
        "timestamp",
        "When the load that brought the row was complete (UTC).",
    ),
    Column(
        "_sdc_sequence",
        "bigint",
        "The start of that run in nanoseconds since 1970: a row and its rows in subtables have the "
        "same, and a later version has a higher one.",
    ),
    Column("_sdc_table_version", "bigint", "Always 0: a table is never replaced as a whole."),
)
"""What Stitch adds to every table. `_sdc_primary_key` is for tables without a key, which Invoiced
does not have, and `_sdc_deleted_at` for databases that are read by their logs."""

SOURCE_KEY = Column(
    "_sdc_source_key_id", "bigint", "ID of the record that the array is in; only in subtables."
)
LEVELS = (
    Column(
        "_sdc_level_0_id",
        "bigint",
        "Position of the element in the record's array, from 0; only in subtables.",
    ),
    Column(
        "_sdc_level_1_id",
        "bigint",
        "Position in the array inside that element, from 0; only in subtables of subtables.",
    ),
)

ALL_COLUMNS = (*SDC_COLUMNS, SOURCE_KEY, *LEVELS)


@dataclass(frozen=True, slots=True)
class StitchTable:
    """A table or subtable under the name that Stitch gives it.

    Attributes:
        name: Its name.
        table: The table of the catalog that holds the records.
        path: Names of the arrays that lead to its rows; empty for the table itself.
        columns: The fields of a row, without Stitch's own columns.
        text: What one row is.
    """

    name: str
    table: Table
    path: tuple[str, ...]
    columns: tuple[Column, ...]
    text: str

    @property
    def source(self) -> str:
        """The table or child table of the warehouse that holds the rows, or the outer array."""
        return "__".join((self.table.name, *self.path[:1]))


def stitch_tables(table: Table) -> Iterator[StitchTable]:
    """Yields a table of the catalog and its subtables; nothing if Stitch has no such table.

    The columns of the published schema come first, then the other fields of the record: Stitch also
    adds what its tap reads since.
    """
    if table.name not in SUBTABLES:
        return
    documented = [column for column in table.columns if column.contract]
    others = [column for column in table.columns if not column.contract]
    yield StitchTable(table.name, table, (), (*documented, *others), table.description)
    children = {child.array: child for child in table.children}
    for path, fields in SUBTABLES[table.name].items():
        outer = children[path[0]]
        is_inner = len(path) > 1
        text = f"One row per element of {'.'.join(path)}." if is_inner else outer.description
        name = "__".join((table.name, *path))
        yield StitchTable(name, table, path, fields if is_inner else outer.columns, text)
