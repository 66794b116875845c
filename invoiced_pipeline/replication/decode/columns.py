"""The columns of the warehouse's tables: the catalog's and the project's own."""

from invoiced_pipeline.catalog import ChildTable, Column, Table

SCALE = 10
"""Decimal places of every amount: DECIMAL(38,10)."""

EXTRA = "_extra"

TOMBSTONE = "_tombstone"
"""Marks a child row that only removes an element during the merge; it is never stored."""
INDEX = "_index"
PARENT_VERSION = "_parent_updated_at"
DELETED_AT = "_deleted_at"
LOAD_ID = "_dlt_load_id"

SYSTEM_COLUMNS = (
    Column(
        EXTRA,
        "json",
        "Fields of the record for which there is no column, as a JSON object.",
    ),
    Column(
        DELETED_AT,
        "timestamp",
        "When the record was deleted in Invoiced, or found to be (UTC); null while it exists. Most "
        "queries need: where _deleted_at is null.",
    ),
)


def parent_columns(table: Table) -> tuple[Column, ...]:
    """Returns all columns of `table` in the warehouse except dlt's own."""
    return (*table.columns, *SYSTEM_COLUMNS)


def child_columns(table: Table, child: ChildTable) -> tuple[Column, ...]:
    """Returns all columns of a child table in the warehouse except dlt's own."""
    key_type = table.column(table.primary_key).type
    return (
        Column(
            table.parent_column,
            key_type,
            f"ID of the parent: joins {table.name}.{table.primary_key}.",
        ),
        Column(INDEX, "bigint", f"Position of the element in {child.array}, from 0."),
        *child.columns,
        Column(
            EXTRA,
            "json",
            "Fields of the element for which there is no column, as a JSON object.",
        ),
        Column(
            DELETED_AT,
            "timestamp",
            "When the parent was deleted in Invoiced, or found to be (UTC); null while it exists.",
        ),
        Column(PARENT_VERSION, "timestamp", "The parent's updated_at when the row was read (UTC)."),
        Column(TOMBSTONE, "boolean", "Always NULL: used only while a load is merged."),
    )
