"""Rows of the warehouse, beside what a command found elsewhere."""

from collections.abc import Sequence

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.settings import ConnectionSettings, Settings
from invoiced_pipeline.warehouse.dataset import RowTotals, row_totals
from invoiced_pipeline.warehouse.open import open_database


def known_totals(
    settings: Settings, connection: ConnectionSettings, tables: Sequence[str]
) -> dict[str, RowTotals]:
    """Counts rows by table; returns nothing if another program has opened the warehouse."""
    try:
        return row_totals(open_database(settings.warehouse), connection.dataset, list(tables))
    except WarehouseError:
        return {}
