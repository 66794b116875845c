"""Rows of the warehouse, beside what a command found elsewhere."""

from collections.abc import Mapping, Sequence

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.settings import ConnectionSettings, Settings
from invoiced_pipeline.warehouse.dataset import RowTotals, row_totals
from invoiced_pipeline.warehouse.open import open_database


def known_totals(
    settings: Settings,
    connection: ConnectionSettings,
    tables: Sequence[str],
    rows: Mapping[str, int] | None = None,
) -> dict[str, RowTotals]:
    """Counts rows by table; returns nothing if another program has opened the warehouse.

    Args:
        settings: They name the warehouse.
        connection: It names the dataset.
        tables: Their names.
        rows: All rows of tables that need not be counted.
    """
    try:
        database = open_database(settings.warehouse)
        return row_totals(database, connection.dataset, list(tables), rows)
    except WarehouseError:
        return {}
