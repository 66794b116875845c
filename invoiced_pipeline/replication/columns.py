"""The columns of the warehouse's tables: those of the catalog, and the project's own."""

from invoiced_pipeline.catalog import ChildTable, Column, Table

SCALE = 10
"""Places behind the point of every amount: DECIMAL(38,10)."""

EXTRA = "_extra"

TOMBSTONE = "_tombstone"
"""Marks a child row that only says: this element is gone. Such rows never land."""
INDEX = "_index"
PARENT_VERSION = "_parent_updated_at"
DELETED_AT = "_deleted_at"

SYSTEM_COLUMNS = (
    Column(EXTRA, "json", "Fields of the record that no column is declared for."),
    Column(DELETED_AT, "timestamp", "When the record was deleted, or found to be; else NULL."),
)


def parent_columns(table: Table) -> tuple[Column, ...]:
    """All columns of `table` in the warehouse but dlt's own."""
    return (*table.columns, *SYSTEM_COLUMNS)


def child_columns(table: Table, child: ChildTable) -> tuple[Column, ...]:
    """All columns of a child table in the warehouse but dlt's own."""
    key_type = table.column(table.primary_key).type
    return (
        Column(table.parent_column, key_type, f"The `{table.name}` record that holds the element."),
        Column(INDEX, "bigint", f"Position in `{child.array}`, from 0."),
        *child.columns,
        Column(EXTRA, "json", "Fields of the element that no column is declared for."),
        Column(DELETED_AT, "timestamp", "When the parent was deleted, or found to be; else NULL."),
        Column(PARENT_VERSION, "timestamp", "The parent's `updated_at` this row was read with."),
        Column(TOMBSTONE, "boolean", "Always NULL: rows that carry it are not loaded."),
    )
