"""How many rows the tables of a dataset hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from invoiced_pipeline.warehouse.database import Database


@dataclass(frozen=True, slots=True)
class RowTotals:
    """How many rows a table holds.

    Attributes:
        rows: All rows.
        deleted: Rows of records that were deleted in Invoiced.
    """

    rows: int
    deleted: int


def row_counts(database: Database, dataset: str, tables: Iterable[str]) -> dict[str, int]:
    """Returns rows per table; 0 for a table that does not exist yet.

    Raises:
        WarehouseError: The warehouse cannot be read.
    """
    counts = dict.fromkeys(tables, 0)
    if not database.exists():
        return counts
    with database.session(dataset, read_only=True) as session:
        for table in session.tables().intersection(counts):
            ((counts[table],),) = session.rows(f'select count(*) from "{table}"')  # noqa: S608
    return counts


def row_totals(
    database: Database,
    dataset: str,
    tables: Iterable[str],
    known: Mapping[str, int] | None = None,
) -> dict[str, RowTotals]:
    """Returns rows per table, all and deleted; without tables that do not exist yet.

    Args:
        database: The warehouse.
        dataset: The schema.
        tables: Their names.
        known: All rows of tables that need not be counted.

    Raises:
        WarehouseError: The warehouse cannot be read.
    """
    if not database.exists():
        return {}
    totals = {}
    with database.session(dataset, read_only=True) as session:
        existing = session.tables()
        for table in tables:
            if table in existing:
                rows = (known or {}).get(table)
                if rows is None:
                    ((rows,),) = session.rows(f'select count(*) from "{table}"')  # noqa: S608
                sql = f'select count(*) from "{table}" where _deleted_at is not null'  # noqa: S608
                ((deleted,),) = session.rows(sql)
                totals[table] = RowTotals(rows, deleted)
    return totals
